// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";

import {INodeRegistry} from "./interfaces/INodeRegistry.sol";
import {IRewardDistributor} from "./interfaces/IRewardDistributor.sol";
import {ISettlement} from "./interfaces/ISettlement.sol";
import {ITaskEscrow} from "./interfaces/ITaskEscrow.sol";
import {Leaves} from "./libraries/Leaves.sol";
import {Signatures} from "./libraries/Signatures.sol";
import {TypedData} from "./libraries/TypedData.sol";

/// @title RewardDistributor, as IRewardDistributor documents it
contract RewardDistributor is IRewardDistributor, EIP712 {
    bytes32 public constant CLAIM_TO_TYPEHASH =
        keccak256("ClaimTo(address account,address to,uint256 nonce,uint64 expiresAt)");

    ISettlement public immutable settlement;
    ITaskEscrow public immutable escrow;
    INodeRegistry public immutable registry;

    mapping(address account => uint256) public claimedOf;
    mapping(address payout => uint256) public redirectNonceOf;

    constructor(ISettlement settlement_, ITaskEscrow escrow_, INodeRegistry registry_) EIP712("Inferium", "1") {
        settlement = settlement_;
        escrow = escrow_;
        registry = registry_;
    }

    /// @inheritdoc IRewardDistributor
    function claim(TypedData.BatchHeader calldata header, Claim calldata entry) external {
        settlement.requireFinal(header);
        if (!_claim(header, entry, registry.payoutOf(entry.account))) revert NothingToClaim(entry.account);
    }

    /// @inheritdoc IRewardDistributor
    function claimMany(TypedData.BatchHeader calldata header, Claim[] calldata claims) external {
        settlement.requireFinal(header);
        for (uint256 i = 0; i < claims.length; ++i) {
            _claim(header, claims[i], registry.payoutOf(claims[i].account));
        }
    }

    /// @inheritdoc IRewardDistributor
    function claimTo(TypedData.BatchHeader calldata header, Claim calldata entry, Redirect calldata redirect) external {
        settlement.requireFinal(header);
        _useRedirect(entry.account, redirect);
        if (!_claim(header, entry, redirect.to)) revert NothingToClaim(entry.account);
    }

    function _useRedirect(address account, Redirect calldata redirect) private {
        if (redirect.to == address(0)) revert InvalidRecipient();
        if (block.timestamp > redirect.expiresAt) revert RedirectExpired(redirect.expiresAt);
        address payout = registry.payoutOf(account);
        uint256 nonce = redirectNonceOf[payout];
        redirectNonceOf[payout] = nonce + 1;
        bytes32 message = keccak256(abi.encode(CLAIM_TO_TYPEHASH, account, redirect.to, nonce, redirect.expiresAt));
        address signer = Signatures.recover(_hashTypedDataV4(message), redirect.signature);
        if (signer != payout) revert NotSignedByPayout(signer, payout);
    }

    /// @return whether there was anything to pay
    function _claim(TypedData.BatchHeader calldata header, Claim calldata entry, address to) private returns (bool) {
        bytes32 leaf = Leaves.hashBalance(entry.account, entry.cumulativeWei);
        if (!MerkleProof.verifyCalldata(entry.proof, header.balanceRoot, leaf)) revert InvalidProof(entry.account);
        uint256 before = claimedOf[entry.account];
        if (entry.cumulativeWei <= before) return false;
        claimedOf[entry.account] = entry.cumulativeWei;
        uint256 amount = entry.cumulativeWei - before;
        emit Claimed(entry.account, to, amount, entry.cumulativeWei);
        // A root whose balances add up to more than its total would otherwise pay out other people's deposits.
        uint256 paid = escrow.payOut(to, amount);
        if (paid > header.settledWei) revert ClaimsExceedSettled(paid, header.settledWei);
        return true;
    }
}
