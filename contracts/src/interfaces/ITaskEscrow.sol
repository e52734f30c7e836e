// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TypedData} from "../libraries/TypedData.sol";

/// @title Requesters' deposits
/// @notice Holds what requesters have paid in until RewardDistributor pays it out or they take it back. Who spent how much
/// is kept in the batches that validators sign. A requester leaves without anybody's help: it asks, waits, and is paid
/// what is not *proven* to be spent. Whoever is owed proves it meanwhile against a final header; the pool does so as a
/// matter of course. Validators count what is asked back as gone at once (`spendableOf`).
/// Balance of tokens = deposited - withdrawn - paid.
interface ITaskEscrow {
    /// @param amount asked back, base units
    /// @param readyAt second from which it is paid
    struct Withdrawal {
        uint128 amount;
        uint64 readyAt;
    }

    event Deposited(address indexed requester, address indexed from, uint256 amount, uint256 depositedOf);
    event PaidOut(address indexed to, uint256 amount);
    event WithdrawalRequested(address indexed requester, uint256 amount, uint256 readyAt);
    event WithdrawalCancelled(address indexed requester, uint256 amount);
    event SpentProven(address indexed requester, uint256 spentWei);
    event Withdrawn(address indexed requester, address indexed to, uint256 amount);

    error InvalidAmount();
    error InvalidParameter();
    error InvalidRequester();
    error NotDistributor(address caller);
    error AmountTooLarge(uint256 amount, uint256 available);
    error NothingRequested(address requester);
    error NotReady(uint256 readyAt);
    error InvalidSpentProof(address requester);

    /// @notice Deposit for oneself.
    function deposit(uint256 amount) external;

    /// @notice Deposit for `requester`, pulled from the caller.
    function depositFor(address requester, uint256 amount) external;

    /// @notice Deposit for oneself with an ERC-2612 permit instead of an approval. A permit that somebody else has
    /// already submitted does no harm: the allowance decides.
    function depositWithPermit(uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external;

    /// @notice Ask `amount` back. A second request adds to the first and starts the wait anew.
    function requestWithdrawal(uint256 amount) external;

    /// @notice Put what was asked back to use again.
    function cancelWithdrawal() external;

    /// @notice Show what a requester has spent, against the newest final header. Anybody may call.
    /// @param proof from the requester's spent leaf to the header's balance root
    function proveSpent(
        TypedData.BatchHeader calldata header,
        address requester,
        uint256 spentWei,
        bytes32[] calldata proof
    ) external;

    /// @notice Take what was asked back and is not proven to be spent, to an address of the requester's choice. A pause of
    /// Settlement starts the wait anew, from its end.
    /// @return amount what was paid; may be less than asked
    function withdraw(address to) external returns (uint256 amount);

    /// @notice RewardDistributor only.
    /// @return paid all that was ever paid out, this payment included
    function payOut(address to, uint256 amount) external returns (uint256 paid);

    /// @notice All that `requester` ever deposited.
    function depositedOf(address requester) external view returns (uint256);

    /// @notice All that `requester` ever took back.
    function withdrawnOf(address requester) external view returns (uint256);

    /// @notice The most that was proven to be spent by `requester`.
    function provenSpentOf(address requester) external view returns (uint256);

    function withdrawalOf(address requester) external view returns (Withdrawal memory);

    /// @notice Upper bound of what `requester` may ever have spent: deposited, less withdrawn, less asked back.
    function spendableOf(address requester) external view returns (uint256);

    /// @notice Deposited less withdrawn, over all requesters: the upper bound of what batches may settle.
    function totalHeld() external view returns (uint256);

    function totalDeposited() external view returns (uint256);

    function totalWithdrawn() external view returns (uint256);

    /// @notice All that was ever paid out.
    function totalPaid() external view returns (uint256);

    /// @notice Seconds from a request to its payment: longer than two challenge windows and the time a batch takes.
    function withdrawalDelay() external view returns (uint64);
}
