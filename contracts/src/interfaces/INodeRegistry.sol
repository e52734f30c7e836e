// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Who works and who validates, and what they have at stake
/// @notice A node is a key (hot, in a pod). Its owner (cold) pays the bond and gets it back; its payout address gets its
/// rewards. A node has one role. For every node, at any time:
/// `active + unbonding = bonded - withdrawn - slashed`.
interface INodeRegistry {
    enum Role {
        None,
        Worker,
        Validator
    }

    /// @dev Underbonded: below the role's minimum, by a slash or a partial unbond. Disqualified is for ever.
    enum State {
        None,
        Active,
        Underbonded,
        Unbonding,
        Disqualified
    }

    /// @param active stake that counts towards the minimum, in base units
    /// @param unbonding stake on its way out, slashable until it is withdrawn
    /// @param releaseAt second from which `unbonding` may be withdrawn
    struct Node {
        address owner;
        Role role;
        bool disqualified;
        uint64 releaseAt;
        address payout;
        uint128 active;
        uint128 unbonding;
    }

    /// @param workerMinimum,validatorMinimum smallest bond of the role, base units, 1 to 10,000,000 IFR
    /// @param workerDelay,validatorDelay seconds from unbond request to withdrawal, at most 90 days
    /// @param reporterBps share of a slash that goes to the reporter, at most 3,000
    struct Parameters {
        uint128 workerMinimum;
        uint128 validatorMinimum;
        uint64 workerDelay;
        uint64 validatorDelay;
        uint16 reporterBps;
    }

    event Bonded(
        address indexed node, Role indexed role, address indexed owner, address payout, uint256 amount, uint256 active
    );
    event PayoutChanged(address indexed node, address payout);
    event UnbondRequested(address indexed node, uint256 amount, uint256 releaseAt);
    event Withdrawn(address indexed node, address indexed owner, uint256 amount);
    event Slashed(
        address indexed node,
        bytes32 indexed fault,
        address indexed reporter,
        uint256 amount,
        uint256 reporterAmount,
        uint256 burnt
    );
    event ParametersChanged(Parameters parameters);
    event Disqualified(address indexed node, bytes32 indexed fault);

    error InvalidRole();
    error InvalidPayout();
    error InvalidParameter();
    error BondTooSmall(uint256 active, uint256 minimum);
    error WrongRole(Role actual, Role given);
    error NotOwner(address caller, address owner);
    error NodeConsentMissing(address node);
    error ConsentExpired(uint256 expiresAt);
    error NodeIsDisqualified(address node);
    error UnknownNode(address node);
    error AmountTooLarge(uint256 amount, uint256 available);
    error NothingToWithdraw();
    error NothingToSlash(address node);
    error StillUnbonding(uint256 releaseAt);
    error InvalidBps(uint256 bps);

    /// @notice Bond `amount`, pulled from the caller. The first bond of a node must come from the node's own key (else
    /// anybody could take a stranger's key and its rewards: see `bondWithConsent`) and reach the minimum. Later ones come
    /// from the owner and name the same role; they may change the payout address.
    function bond(address node, Role role, address payout, uint256 amount) external;

    /// @notice First bond of another's node: the caller becomes owner, with the node's EIP-712 signature (this contract's
    /// domain) over `BondConsent(address node,uint8 role,address owner,address payout,uint64 expiresAt)`.
    /// @param signature 64 bytes, EIP-2098
    function bondWithConsent(
        address node,
        Role role,
        address payout,
        uint256 amount,
        uint64 expiresAt,
        bytes calldata signature
    ) external;

    /// @notice Governance only, within the bounds of `Parameters`. A delay that has begun keeps its end.
    function setParameters(Parameters calldata parameters_) external;

    /// @notice Change where the node's rewards go. Owner only.
    function setPayout(address node, address payout) external;

    /// @notice Start withdrawing `amount`. A second request restarts the delay of everything that is unbonding.
    function requestUnbond(address node, uint256 amount) external;

    /// @notice Pay what has finished unbonding to the owner. Anybody may call. A node withdrawn to zero is free for a
    /// new owner and role, unless it is disqualified.
    function withdraw(address node) external;

    /// @notice Take `bps` of all that the node has, active stake first. SlashingManager and Disputes only. No token moves: see
    /// IProceeds.
    /// @param fault what the evidence is about; goes to the event
    /// @param reporter is owed its share, unless it is zero or belongs to the node; the rest is to be burnt
    function slash(address node, Role role, uint256 bps, bytes32 fault, address reporter)
        external
        returns (uint256 amount);

    /// @notice Ban the node for ever, bonded or not. SlashingManager and Disputes only.
    function disqualify(address node, bytes32 fault) external;

    function nodeOf(address node) external view returns (Node memory);

    function stateOf(address node) external view returns (State);

    /// @notice Slashable stake: active and unbonding.
    function stakeOf(address node) external view returns (uint256);

    /// @notice Where the node's rewards go: its payout address, or the account itself where it never bonded.
    function payoutOf(address account) external view returns (address);

    function isActive(address node, Role role) external view returns (bool);

    function minimumOf(Role role) external view returns (uint256);

    function parameters() external view returns (Parameters memory);
}
