// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";

import {INodeRegistry} from "./interfaces/INodeRegistry.sol";
import {IRewardDistributor} from "./interfaces/IRewardDistributor.sol";
import {ISettlement} from "./interfaces/ISettlement.sol";
import {ITaskEscrow} from "./interfaces/ITaskEscrow.sol";
import {Leaves} from "./libraries/Leaves.sol";

/// @title RewardDistributor, as IRewardDistributor documents it
contract RewardDistributor is IRewardDistributor {
    ISettlement public immutable settlement;
    ITaskEscrow public immutable escrow;
    INodeRegistry public immutable registry;

    mapping(address account => uint256) public claimedOf;

    constructor(ISettlement settlement_, ITaskEscrow escrow_, INodeRegistry registry_) {
        settlement = settlement_;
        escrow = escrow_;
        registry = registry_;
    }

    /// @inheritdoc IRewardDistributor
    function claim(address account, uint256 cumulativeWei, bytes32[] calldata proof) external {
        (bytes32 root, uint256 settledWei) = settlement.claimState();
        if (!_claim(Claim(account, cumulativeWei, proof), root, settledWei)) revert NothingToClaim(account);
    }

    /// @inheritdoc IRewardDistributor
    function claimMany(Claim[] calldata claims) external {
        (bytes32 root, uint256 settledWei) = settlement.claimState();
        for (uint256 i = 0; i < claims.length; ++i) {
            _claim(claims[i], root, settledWei);
        }
    }

    /// @return whether there was anything to pay
    function _claim(Claim memory entry, bytes32 root, uint256 settledWei) private returns (bool) {
        bytes32 leaf = Leaves.hashBalance(entry.account, entry.cumulativeWei);
        if (!MerkleProof.verify(entry.proof, root, leaf)) revert InvalidProof(entry.account);
        uint256 before = claimedOf[entry.account];
        if (entry.cumulativeWei <= before) return false;
        claimedOf[entry.account] = entry.cumulativeWei;
        uint256 amount = entry.cumulativeWei - before;
        address payout = registry.payoutOf(entry.account);
        emit Claimed(entry.account, payout, amount, entry.cumulativeWei);
        // A root whose balances add up to more than its total would otherwise pay out other people's deposits.
        uint256 paid = escrow.payOut(payout, amount);
        if (paid > settledWei) revert ClaimsExceedSettled(paid, settledWei);
        return true;
    }
}
