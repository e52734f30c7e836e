// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TypedData} from "../libraries/TypedData.sol";

/// @title Rewards, pulled
/// @notice Balances in the root are cumulative and a claim pays the difference to what was claimed before, so that no
/// order and no repetition of claims pays anything twice. Claims go against the newest final header (ISettlement). Anybody
/// may claim for anybody; the money goes to the account's payout address in NodeRegistry, or where that address says.
interface IRewardDistributor {
    /// @param cumulativeWei the account's balance in the final root, base units
    struct Claim {
        address account;
        uint256 cumulativeWei;
        bytes32[] proof;
    }

    /// @notice The payout address wants the account's rewards elsewhere, once: signed under this contract's domain as
    /// `ClaimTo(address account,address to,uint256 nonce,uint64 expiresAt)`.
    /// @param signature 64 bytes, EIP-2098
    struct Redirect {
        address to;
        uint64 expiresAt;
        bytes signature;
    }

    event Claimed(address indexed account, address indexed to, uint256 amount, uint256 cumulativeWei);

    error InvalidProof(address account);
    error NothingToClaim(address account);
    error ClaimsExceedSettled(uint256 paid, uint256 settled);
    error InvalidRecipient();
    error RedirectExpired(uint256 expiresAt);
    error NotSignedByPayout(address signer, address payout);

    /// @notice Pay `account` what it has earned and not yet claimed.
    function claim(TypedData.BatchHeader calldata header, Claim calldata entry) external;

    /// @notice As `claim` for many; accounts with nothing left are passed over, so that a claim made by somebody else
    /// in between does not undo the others.
    function claimMany(TypedData.BatchHeader calldata header, Claim[] calldata claims) external;

    /// @notice As `claim`, to where the account's payout address has signed that it wants it.
    function claimTo(TypedData.BatchHeader calldata header, Claim calldata entry, Redirect calldata redirect) external;

    /// @notice All that `account` was ever paid.
    function claimedOf(address account) external view returns (uint256);

    /// @notice Number that the next redirect of `payout` must carry.
    function redirectNonceOf(address payout) external view returns (uint256);
}
