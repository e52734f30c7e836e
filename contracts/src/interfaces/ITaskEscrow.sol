// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Requesters' deposits
/// @notice Holds what requesters have paid in until RewardDistributor pays it out. Who spent how much of its deposit is
/// kept in the batches that validators sign; here only the sums are. Balance of tokens = deposited - paid.
interface ITaskEscrow {
    event Deposited(address indexed requester, address indexed from, uint256 amount, uint256 depositedOf);
    event PaidOut(address indexed to, uint256 amount);

    error InvalidAmount();
    error InvalidRequester();
    error NotDistributor(address caller);

    /// @notice Deposit for oneself.
    function deposit(uint256 amount) external;

    /// @notice Deposit for `requester`, pulled from the caller.
    function depositFor(address requester, uint256 amount) external;

    /// @notice Deposit for oneself with an ERC-2612 permit instead of an approval. A permit that somebody else has
    /// already submitted does no harm: the allowance decides.
    function depositWithPermit(uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external;

    /// @notice RewardDistributor only.
    /// @return paid all that was ever paid out, this payment included
    function payOut(address to, uint256 amount) external returns (uint256 paid);

    /// @notice All that `requester` ever deposited.
    function depositedOf(address requester) external view returns (uint256);

    /// @notice All that was ever deposited. Never decreases.
    function totalDeposited() external view returns (uint256);

    /// @notice All that was ever paid out.
    function totalPaid() external view returns (uint256);
}
