// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Rewards, pulled
/// @notice Balances in the root are cumulative and a claim pays the difference to what was claimed before, so that no
/// order and no repetition of claims pays anything twice. Anybody may call; the money goes to the account's payout
/// address in NodeRegistry.
interface IRewardDistributor {
    /// @param cumulativeWei the account's balance in the last settled root, base units
    struct Claim {
        address account;
        uint256 cumulativeWei;
        bytes32[] proof;
    }

    event Claimed(address indexed account, address indexed payout, uint256 amount, uint256 cumulativeWei);

    error InvalidProof(address account);
    error NothingToClaim(address account);
    error ClaimsExceedSettled(uint256 paid, uint256 settled);

    /// @notice Pay `account` what it has earned and not yet claimed.
    function claim(address account, uint256 cumulativeWei, bytes32[] calldata proof) external;

    /// @notice As `claim` for many; accounts with nothing left are passed over, so that a claim made by somebody else
    /// in between does not undo the others.
    function claimMany(Claim[] calldata claims) external;

    /// @notice All that `account` was ever paid.
    function claimedOf(address account) external view returns (uint256);
}
