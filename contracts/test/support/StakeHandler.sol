// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INodeRegistry} from "../../src/interfaces/INodeRegistry.sol";
import {Fixture} from "./Fixture.sol";

/// @notice The accounts of a random walk, and what they do with their stakes. Sums of what happened are kept beside the
/// contracts. It deploys them itself, so that it holds every role.
abstract contract StakeHandler is Fixture {
    uint256 internal constant ACCOUNTS = 4;

    uint256 public bonded;
    uint256 public unbonded;
    uint256 public slashed;
    uint256 public collected;
    uint256 public burnt;
    /// @notice Whether something happened that never may; says what.
    string public violation;
    mapping(address node => uint256) private _requestedAt;

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
        _requestedAt[node] = block.timestamp;
    }

    /// @dev Tried at any time; only what has waited for its fault window may succeed.
    function unbond(uint256 who, uint256 wait) external {
        address node = account(who);
        uint256 amount = registry.nodeOf(node).unbonding;
        if (amount == 0) return;
        vm.warp(block.timestamp + bound(wait, 0, 2 * WORKER_DELAY));
        bool isDue = block.timestamp >= _requestedAt[node] + WORKER_DELAY;
        try registry.withdraw(node) {
            if (!isDue) violation = "withdrawn within the fault window";
            unbonded += amount;
        } catch {
            if (isDue) violation = "stake that is due was not paid";
        }
    }

    function slash(uint256 who, uint256 bps, uint256 reporter) external {
        address node = account(who);
        bps = bound(bps, 1, 10_000);
        uint256 stake = registry.stakeOf(node);
        if (stake * bps < 10_000) return;
        vm.prank(address(slashing));
        uint256 amount = registry.slash(node, INodeRegistry.Role.Worker, bps, "fault", account(reporter));
        if (amount > stake) violation = "slashed more than was slashable";
        slashed += amount;
    }

    function disqualify(uint256 who, uint256 chance) external {
        address node = account(who);
        if (chance % 8 != 0 || registry.stateOf(node) == INodeRegistry.State.Disqualified) return;
        vm.prank(address(slashing));
        registry.disqualify(node, "fault");
    }

    function collect(uint256 who) external {
        uint256 amount = registry.owedTo(account(who));
        if (amount == 0) return;
        registry.collect(account(who));
        collected += amount;
    }

    function burnPending() external {
        uint256 amount = registry.pendingBurn();
        if (amount == 0) return;
        registry.burnPending();
        burnt += amount;
    }

    function account(uint256 index) public pure returns (address) {
        return address(uint160(0x1000 + index % ACCOUNTS));
    }

    /// @notice 5: active + unbonding = bonded - withdrawn - slashed, and the registry holds that and what slashes took.
    function checkStakes() external view returns (bool) {
        uint256 held = bonded - unbonded - slashed;
        uint256 stakes = 0;
        uint256 votes = 0;
        for (uint256 i = 0; i < ACCOUNTS; ++i) {
            stakes += registry.stakeOf(account(i));
            votes += registry.getVotes(account(i));
        }
        uint256 tokens = token.balanceOf(address(registry)) + collected + burnt;
        return stakes == held && votes == held && tokens == held + slashed + otherStakes();
    }

    /// @notice 6: a disqualified node is never active.
    function checkBans() external view returns (bool) {
        for (uint256 i = 0; i < ACCOUNTS; ++i) {
            bool isActive = registry.isActive(account(i), INodeRegistry.Role.Worker);
            if (registry.nodeOf(account(i)).disqualified && isActive) return false;
        }
        return true;
    }

    /// @notice 9: never more than 250,000,000 IFR.
    function checkSupply() external view returns (bool) {
        return token.totalSupply() <= 250_000_000 ether;
    }

    /// @dev What others than the accounts have bonded, slashed or not.
    function otherStakes() internal pure virtual returns (uint256);
}
