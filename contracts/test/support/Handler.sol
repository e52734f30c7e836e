// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INodeRegistry} from "../../src/interfaces/INodeRegistry.sol";
import {Evidence} from "../../src/libraries/Evidence.sol";
import {Leaves} from "../../src/libraries/Leaves.sol";
import {TypedData} from "../../src/libraries/TypedData.sol";
import {BatchHandler} from "./BatchHandler.sol";

/// @notice All that the invariant tests choose from: stakes, batches, and here validators' faults, disputes and agents.
contract Handler is BatchHandler {
    uint256 private constant WORKER_KEY = 0xBADBAD;
    uint256 public paidToAgents;
    uint256 public collectedFromAgents;
    uint256 private _attempt;
    bytes32 private _agent;

    constructor() {
        deployAll();
        begin();
        for (uint256 i = 0; i < VALIDATORS; ++i) {
            bondNode(validators[i], INodeRegistry.Role.Validator, VALIDATOR_BOND);
        }
        _agent = revenue.register("salt", account(0));
    }

    /// @dev The first two of seven, so that enough are left to sign and to judge.
    function equivocate(uint256 who, uint256 chance) external {
        uint256 index = who % 2;
        if (chance % 16 != 0 || registry.nodeOf(validators[index]).disqualified) return;
        bytes memory a = compact(keys[index], _attestation(validators[index], "a"));
        bytes memory b = compact(keys[index], _attestation(validators[index], "b"));
        slashing.proveVoteEquivocation(validators[index], "validation", "a", a, "b", b);
        if (sets.isMember(sets.epoch(), validators[index])) violation = "an expelled validator kept its seat";
    }

    /// @dev A whole dispute against one validator: verdicts as the bits say, a veto now and then.
    function dispute(uint256 verdicts, uint256 chance) external {
        address accused = validators[2];
        if (chance % 8 != 0 || !sets.isMember(sets.epoch(), accused)) return;
        fund(account(0), address(disputes), DISPUTE_BOND);
        bytes32 id = _open();
        vm.roll(block.number + 3);
        disputes.draw(id);
        address[] memory jury = disputes.juryOf(id);
        if (jury.length == 0) return;
        _judge(id, jury, verdicts);
        if (chance % 64 == 0) {
            vm.prank(GUARDIAN);
            disputes.veto(id);
        } else {
            vm.warp(block.timestamp + 2 days + 1);
            disputes.execute(id);
        }
        bool isSlashed = registry.stakeOf(accused) == 0;
        bool isWrong = chance % 64 != 0 && (verdicts & 1) + ((verdicts >> 1) & 1) + ((verdicts >> 2) & 1) > 1;
        if (jury.length == 3 && isSlashed != isWrong) violation = "a ruling and its slash differ";
        lookAtFinal();
    }

    /// @notice 10: what does not divide is less than a base unit for each recipient.
    function payAgent(uint256 amount) external {
        amount = bound(amount, 1, 1_000 ether);
        fund(REQUESTER, address(revenue), amount);
        uint256 before = revenue.owedTo(address(this));
        vm.prank(REQUESTER);
        revenue.pay(_agent, amount);
        paidToAgents += amount;
        uint256 dust = revenue.owedTo(address(this)) - before - amount * 6_000 / 10_000;
        if (dust > 3) violation = "dust above the number of recipients";
    }

    function sharePot(uint256 who, uint64 epoch) external {
        epoch = uint64(bound(epoch, 1, sets.epoch()));
        address[] memory members = sets.validatorsOf(epoch);
        try revenue.sharePot(epoch, members[who % members.length]) {} catch {}
    }

    function collectFromAgents(uint256 who) external {
        address to = who % 3 == 0 ? address(this) : who % 3 == 1 ? account(0) : validators[who % VALIDATORS];
        uint256 amount = revenue.owedTo(to);
        if (amount == 0) return;
        revenue.collect(to);
        collectedFromAgents += amount;
    }

    /// @notice What agents were paid and nobody has collected is there; what is owed is never more.
    function checkAgents() external view returns (bool) {
        uint256 owed = revenue.owedTo(address(this)) + revenue.owedTo(account(0)) + revenue.owedTo(TREASURY);
        for (uint256 i = 0; i < VALIDATORS; ++i) {
            owed += revenue.owedTo(validators[i]);
        }
        uint256 held = token.balanceOf(address(revenue));
        return held == paidToAgents - collectedFromAgents && owed <= held;
    }

    /// @notice Bonds are owed or to be burnt once their disputes are closed.
    function checkDisputes() external view returns (bool) {
        return token.balanceOf(address(disputes)) == disputes.owedTo(account(0)) + disputes.pendingBurn();
    }

    /// @dev Validators' stakes, and what was slashed of them and is now owed or to be burnt.
    function otherStakes() internal pure override returns (uint256) {
        return VALIDATORS * VALIDATOR_BOND;
    }

    function _open() private returns (bytes32) {
        TypedData.Receipt memory receipt;
        receipt.attempt = uint32(++_attempt);
        receipt.worker = vm.addr(WORKER_KEY);
        bytes32 digest = TypedData.digest(settlement.domainSeparator(), TypedData.hash(receipt));
        Evidence.SignedVote[] memory approvals = new Evidence.SignedVote[](1);
        approvals[0].validator = validators[2];
        approvals[0].votesRoot = Leaves.hash(Leaves.Vote(0, receipt.attempt, digest, 1, 0));
        approvals[0].signature = compact(keys[2], _attestationOf(0, validators[2], approvals[0].votesRoot));
        uint64 epoch = sets.epoch();
        vm.prank(account(0));
        return disputes.open(receipt, compact(WORKER_KEY, digest), epoch, approvals);
    }

    function _judge(bytes32 id, address[] memory jury, uint256 verdicts) private {
        for (uint256 i = 0; i < jury.length; ++i) {
            uint8 verdict = uint8(1 + ((verdicts >> i) & 1));
            vm.prank(jury[i]);
            disputes.commit(id, keccak256(abi.encode(id, jury[i], verdict, bytes32("salt"))));
        }
        for (uint256 i = 0; i < jury.length; ++i) {
            vm.prank(jury[i]);
            disputes.reveal(id, uint8(1 + ((verdicts >> i) & 1)), "salt");
        }
        disputes.rule(id);
    }

    function _attestation(address validator, bytes32 root) private view returns (bytes32) {
        return _attestationOf("validation", validator, root);
    }

    function _attestationOf(bytes32 validation, address validator, bytes32 root) private view returns (bytes32) {
        bytes32 structHash = TypedData.hash(TypedData.Attestation(validation, root, validator));
        return TypedData.digest(settlement.domainSeparator(), structHash);
    }
}
