// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Evidence} from "../libraries/Evidence.sol";
import {TypedData} from "../libraries/TypedData.sol";

/// @title Disputes over results that validators approved
/// @notice Whether a result is right cannot be seen from signatures alone. So whoever doubts one puts up a bond, and a jury of
/// validators that did not approve it re-executes the task:
/// open -> draw (a block later than the opening decides who) -> commit -> reveal -> rule -> (veto) -> execute.
/// Overturned: each accused validator loses its whole stake and its seat, the worker the penalty of a rejected result, and
/// the challenger has its bond back and the reporter's share. Upheld: the bond is burnt. No majority, no jury, or a veto:
/// the bond goes back and nobody is slashed. No juror earns by how it votes.
interface IDisputes {
    enum State {
        None,
        Drawing,
        Committing,
        Revealing,
        Ruled,
        Closed
    }

    enum Ruling {
        None,
        Overturned,
        Upheld,
        Inconclusive,
        Vetoed
    }

    /// @param bond what a challenger puts up, 1 to 1,000,000 IFR
    /// @param jurySize jurors drawn, 2 to 32; and always more than there are accused
    /// @param commitSeconds,revealSeconds for the jury, at most 7 days each
    /// @param vetoSeconds from the ruling to its execution, at most 14 days
    /// @param evidenceSeconds for how long after its epoch ended an approval can be disputed; at most 60 days
    /// @param workerBps penalty of the worker of an overturned result, 1 to 5,000
    struct Parameters {
        uint128 bond;
        uint8 jurySize;
        uint32 commitSeconds;
        uint32 revealSeconds;
        uint32 vetoSeconds;
        uint32 evidenceSeconds;
        uint16 workerBps;
    }

    /// @param deadline end of the current phase, seconds
    /// @param seedBlock block whose hash draws the jury
    /// @param committed how many jurors have
    struct Dispute {
        address challenger;
        address worker;
        State state;
        Ruling ruling;
        uint64 deadline;
        uint64 seedBlock;
        uint128 bond;
        uint8 overturn;
        uint8 uphold;
        uint8 committed;
    }

    event ParametersChanged(Parameters parameters);
    /// @dev Whom it accuses: `accusedOf`.
    event Opened(
        bytes32 indexed id, bytes32 indexed taskId, uint32 attempt, address indexed worker, address challenger
    );
    event Drawn(bytes32 indexed id, address[] jury, uint256 commitUntil);
    event Committed(bytes32 indexed id, address indexed juror);
    event Revealed(bytes32 indexed id, address indexed juror, uint8 verdict);
    event Ruled(bytes32 indexed id, Ruling ruling, uint256 executableAt);
    event Vetoed(bytes32 indexed id, address indexed guardian);
    event Executed(bytes32 indexed id, Ruling ruling);

    error InvalidParameter();
    error NobodyAccused();
    error NotAscending(address previous, address next);
    error NotAValidator(address validator, uint64 epoch);
    error EvidenceTooOld(uint64 epoch, uint256 retiredAt);
    error AlreadyDisputed(bytes32 id);
    error WrongState(State actual, State wanted);
    error TooEarly(uint256 allowedAt);
    error TooLate(uint256 deadline);
    error SeedNotMined(uint256 seedBlock);
    error NotAJuror(address account);
    error AlreadyVoted(address juror);
    error WrongCommitment(address juror);
    error InvalidVerdict(uint8 verdict);

    /// @notice Governance only, within the bounds of `Parameters`. A phase that has begun keeps its end.
    function setParameters(Parameters calldata parameters_) external;

    /// @notice Doubt an approved result; pulls the bond from the caller. Each challenger once per receipt and accused, so that
    /// nobody shields a receipt by a sham dispute of its own. A node is punished once per receipt, however many disputes.
    /// @param epoch of the validators that approved
    /// @param approvals their signed votes, in strictly ascending order of validator
    /// @return id keccak256(abi.encode(the receipt's EIP-712 digest, challenger, accused))
    function open(
        TypedData.Receipt calldata receipt,
        bytes calldata workerSignature,
        uint64 epoch,
        Evidence.SignedVote[] calldata approvals
    ) external returns (bytes32 id);

    /// @notice Draw the jury, once the seed's block is mined. Anybody may call. Where 256 blocks have passed a new seed is
    /// taken; where too few validators are independent, the dispute ends without a ruling.
    function draw(bytes32 id) external;

    /// @notice The last juror's commitment ends the phase.
    /// @param commitment keccak256(abi.encode(id, juror, verdict, salt))
    function commit(bytes32 id, bytes32 commitment) external;

    /// @param verdict 1: the result is right, 2: it is wrong
    function reveal(bytes32 id, uint8 verdict, bytes32 salt) external;

    /// @notice Count, once all jurors have revealed or the time is over. More than half of the *whole* jury decides.
    function rule(bytes32 id) external;

    /// @notice Guardian only, between ruling and execution.
    function veto(bytes32 id) external;

    /// @notice Carry out the ruling once the time for a veto has passed. Anybody may call.
    function execute(bytes32 id) external;

    function disputeOf(bytes32 id) external view returns (Dispute memory);

    function accusedOf(bytes32 id) external view returns (address[] memory);

    function juryOf(bytes32 id) external view returns (address[] memory);

    function parameters() external view returns (Parameters memory);
}
