// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INodeRegistry} from "../../src/interfaces/INodeRegistry.sol";
import {IRewardDistributor} from "../../src/interfaces/IRewardDistributor.sol";
import {Leaves} from "../../src/libraries/Leaves.sol";
import {Fixture} from "./Fixture.sol";

/// @notice Random walks of everybody at once: the calls that the invariant tests choose from, and sums of what happened.
/// It deploys the contracts itself, so that it holds every role.
contract Handler is Fixture {
    uint256 internal constant ACCOUNTS = 4;

    uint256 public bonded;
    uint256 public withdrawn;
    uint256 public slashed;
    uint256 public settledBatches;
    uint256 public lastSettledWei;
    mapping(address account => uint256) public balanceOf;
    mapping(address account => uint256) public highestClaim;
    bool public claimFell;

    constructor() {
        deployAll();
    }

    function bond(uint256 who, uint256 amount) external {
        address node = account(who);
        if (registry.stateOf(node) == INodeRegistry.State.Disqualified) return;
        amount = bound(amount, WORKER_BOND, 2 * WORKER_BOND);
        bondNode(node, INodeRegistry.Role.Worker, amount);
        bonded += amount;
    }

    function requestUnbond(uint256 who, uint256 amount) external {
        address node = account(who);
        uint256 active = registry.nodeOf(node).active;
        if (active == 0) return;
        vm.prank(node);
        registry.requestUnbond(node, bound(amount, 1, active));
    }

    function withdraw(uint256 who, uint256 wait) external {
        address node = account(who);
        uint256 amount = registry.nodeOf(node).unbonding;
        if (amount == 0) return;
        vm.warp(block.timestamp + bound(wait, 0, 2 * WORKER_DELAY));
        if (block.timestamp < registry.nodeOf(node).releaseAt) return;
        registry.withdraw(node);
        withdrawn += amount;
    }

    function slash(uint256 who, uint256 bps, uint256 reporter) external {
        address node = account(who);
        bps = bound(bps, 1, 10_000);
        if (registry.stakeOf(node) * bps < 10_000) return;
        vm.prank(address(slashing));
        slashed += registry.slash(node, INodeRegistry.Role.Worker, bps, "fault", account(reporter));
    }

    function disqualify(uint256 who, uint256 chance) external {
        address node = account(who);
        if (chance % 8 != 0 || registry.stateOf(node) == INodeRegistry.State.Disqualified) return;
        vm.prank(address(slashing));
        registry.disqualify(node, "fault");
    }

    function depositSome(uint256 amount) external {
        deposit(bound(amount, 1, 1_000 ether));
    }

    /// @dev Credits one account within what is deposited, and settles the new balances with a real certificate.
    function settleBatch(uint256 who, uint256 amount) external {
        uint256 free = escrow.totalDeposited() - lastSettledWei;
        amount = bound(amount, 0, free);
        balanceOf[account(who)] += amount;
        lastSettledWei += amount;
        settle(nextHeader(_root(), lastSettledWei));
        settledBatches += 1;
    }

    function claim(uint256 who) external {
        address node = account(who);
        uint256 index = uint256(uint160(node)) - 0x1000;
        if (settledBatches == 0 || balanceOf[node] == distributor.claimedOf(node)) return;
        vm.warp(block.timestamp + CHALLENGE);
        distributor.claim(settled, IRewardDistributor.Claim(node, balanceOf[node], _proof(index)));
        if (distributor.claimedOf(node) < highestClaim[node]) claimFell = true;
        highestClaim[node] = distributor.claimedOf(node);
    }

    function account(uint256 index) public pure returns (address) {
        return address(uint160(0x1000 + index % ACCOUNTS));
    }

    function stakes() external view returns (uint256 active, uint256 unbonding) {
        for (uint256 i = 0; i < ACCOUNTS; ++i) {
            active += registry.nodeOf(account(i)).active;
            unbonding += registry.nodeOf(account(i)).unbonding;
        }
    }

    function sumOfBalances() external view returns (uint256 sum) {
        for (uint256 i = 0; i < ACCOUNTS; ++i) {
            sum += balanceOf[account(i)];
        }
    }

    function registryTokens() external view returns (uint256) {
        return token.balanceOf(address(registry));
    }

    /// @dev Taken by slashes, not yet collected or burnt.
    function proceeds() external view returns (uint256 sum) {
        sum = registry.pendingBurn();
        for (uint256 i = 0; i < ACCOUNTS; ++i) {
            sum += registry.owedTo(account(i));
        }
    }

    function escrowTokens() external view returns (uint256) {
        return token.balanceOf(address(escrow));
    }

    function supply() external view returns (uint256) {
        return token.totalSupply();
    }

    function deposited() external view returns (uint256) {
        return escrow.totalDeposited();
    }

    function paid() external view returns (uint256) {
        return escrow.totalPaid();
    }

    function last() external view returns (uint64 sequence, uint256 settledWei) {
        (sequence,, settledWei) = settlement.lastBatch();
    }

    function anyDisqualifiedIsActive() external view returns (bool) {
        for (uint256 i = 0; i < ACCOUNTS; ++i) {
            bool active = registry.isActive(account(i), INodeRegistry.Role.Worker);
            if (registry.nodeOf(account(i)).disqualified && active) return true;
        }
        return false;
    }

    /// @dev A full tree of four leaves.
    function _root() private view returns (bytes32) {
        return _pair(_pair(_leaf(0), _leaf(1)), _pair(_leaf(2), _leaf(3)));
    }

    function _proof(uint256 index) private view returns (bytes32[] memory proof) {
        proof = new bytes32[](2);
        proof[0] = _leaf(index ^ 1);
        proof[1] = index < 2 ? _pair(_leaf(2), _leaf(3)) : _pair(_leaf(0), _leaf(1));
    }

    function _leaf(uint256 index) private view returns (bytes32) {
        return Leaves.hashBalance(account(index), balanceOf[account(index)]);
    }

    function _pair(bytes32 a, bytes32 b) private pure returns (bytes32) {
        return a < b ? keccak256(bytes.concat(a, b)) : keccak256(bytes.concat(b, a));
    }
}
