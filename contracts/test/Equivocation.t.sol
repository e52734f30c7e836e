// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";

import {INodeRegistry} from "../src/interfaces/INodeRegistry.sol";
import {ISlashingManager} from "../src/interfaces/ISlashingManager.sol";
import {Evidence} from "../src/libraries/Evidence.sol";
import {TypedData} from "../src/libraries/TypedData.sol";
import {EvidenceFixture} from "./support/EvidenceFixture.sol";

/// @notice Two signed messages where one is allowed, and who earns by reporting them.
contract EquivocationTest is EvidenceFixture {
    address internal validator;

    function setUp() public override {
        super.setUp();
        deposit(1_000);
        validator = validators[0];
        bondNode(validator, INodeRegistry.Role.Validator, VALIDATOR_BOND);
    }

    function testTwoHeadersOfOneNumberCostAll() public {
        ISlashingManager.SignedHeader memory a = _header(1, 1, "one");
        ISlashingManager.SignedHeader memory b = _header(1, 1, "two");
        bytes32 fault = slashing.validatorFaultIdOf("headers", keccak256(abi.encode(uint64(1), uint64(1))), validator);
        vm.expectEmit(address(registry));
        emit INodeRegistry.Disqualified(validator, fault);
        vm.expectEmit(address(slashing));
        emit ISlashingManager.ValidatorExpelled(fault, validator, VALIDATOR_BOND);
        slashing.proveHeaderEquivocation(validator, a, b);
        assertEq(registry.stakeOf(validator), 0);
        assertTrue(!sets.isMember(sets.epoch(), validator), "no seat");
        vm.expectRevert(abi.encodeWithSelector(ISlashingManager.AlreadySlashed.selector, fault));
        slashing.proveHeaderEquivocation(validator, b, a);
    }

    function testOtherNumbersOrEpochsAreNone() public {
        ISlashingManager.SignedHeader memory a = _header(1, 1, "one");
        _expectNone(a, _header(2, 1, "two"));
        _expectNone(a, _header(1, 2, "two"));
        _expectNone(a, a);
    }

    function testBothHeadersMustBeTheValidators() public {
        ISlashingManager.SignedHeader memory a = _header(1, 1, "one");
        ISlashingManager.SignedHeader memory b = _header(1, 1, "two");
        b.signature = compact(keys[1], settlement.hashHeader(b.header));
        bytes memory refusal = abi.encodeWithSelector(Evidence.NotSignedByValidator.selector, validators[1], validator);
        vm.expectRevert(refusal);
        slashing.proveHeaderEquivocation(validator, a, b);
        vm.expectRevert(refusal);
        slashing.proveHeaderEquivocation(validator, b, a);
    }

    function testTwoVotesOnOneValidationCostAll() public {
        bytes memory a = compact(keys[0], attestationOf(VALIDATION, "a", validator));
        bytes memory b = compact(keys[0], attestationOf(VALIDATION, "b", validator));
        bytes32 fault = slashing.validatorFaultIdOf("votes", VALIDATION, validator);
        vm.expectEmit(address(slashing));
        emit ISlashingManager.ValidatorExpelled(fault, validator, VALIDATOR_BOND);
        slashing.proveVoteEquivocation(validator, VALIDATION, "a", a, "b", b);
        assertTrue(!sets.isMember(sets.epoch(), validator), "no seat");
    }

    function testOneVoteTwiceOrAnothersIsNone() public {
        bytes memory a = compact(keys[0], attestationOf(VALIDATION, "a", validator));
        bytes memory foreign = compact(keys[1], attestationOf(VALIDATION, "b", validator));
        vm.expectRevert(ISlashingManager.NoEquivocation.selector);
        slashing.proveVoteEquivocation(validator, VALIDATION, "a", a, "a", a);
        bytes memory refusal = abi.encodeWithSelector(Evidence.NotSignedByValidator.selector, validators[1], validator);
        vm.expectRevert(refusal);
        slashing.proveVoteEquivocation(validator, VALIDATION, "a", a, "b", foreign);
        vm.expectRevert(refusal);
        slashing.proveVoteEquivocation(validator, VALIDATION, "b", foreign, "a", a);
    }

    function testWhoHasNothingIsBannedAllTheSame() public {
        address poor = validators[1];
        bytes memory a = compact(keys[1], attestationOf(VALIDATION, "a", poor));
        bytes memory b = compact(keys[1], attestationOf(VALIDATION, "b", poor));
        slashing.proveVoteEquivocation(poor, VALIDATION, "a", a, "b", b);
        assertEq(uint256(registry.stateOf(poor)), uint256(INodeRegistry.State.Disqualified));
        assertTrue(!sets.isMember(sets.epoch(), poor), "no seat");
    }

    function testAWorkerThatSignsAsAValidatorKeepsItsStake() public {
        bytes memory a = compact(WORKER_KEY, attestationOf(VALIDATION, "a", worker));
        bytes memory b = compact(WORKER_KEY, attestationOf(VALIDATION, "b", worker));
        slashing.proveVoteEquivocation(worker, VALIDATION, "a", a, "b", b);
        assertEq(registry.stakeOf(worker), WORKER_BOND);
        assertEq(uint256(registry.stateOf(worker)), uint256(INodeRegistry.State.Disqualified));
    }

    function testAReporterEarnsByAnEarlierCommitment() public {
        bytes32 commitment = _commit(STRANGER);
        vm.warp(block.timestamp + 1 days);
        // Repeating it while it counts does not push it back.
        slashing.commitReport(commitment);
        _report(STRANGER);
        assertEq(registry.owedTo(STRANGER), VALIDATOR_BOND * 3 / 10);
    }

    function testWithoutOneItEarnsNothing() public {
        _report(STRANGER);
        assertEq(registry.owedTo(STRANGER), 0);
        assertEq(registry.pendingBurn(), VALIDATOR_BOND);
    }

    function testACommitmentOfTheSameBlockEarnsNothing() public {
        _commit(STRANGER);
        _report(STRANGER);
        assertEq(registry.owedTo(STRANGER), 0);
    }

    function testAnExpiredCommitmentEarnsNothingAndMayBeMadeAgain() public {
        bytes32 commitment = _commit(STRANGER);
        vm.warp(block.timestamp + 1 days + 1);
        slashing.commitReport(commitment);
        _report(STRANGER);
        assertEq(registry.owedTo(STRANGER), 0);
    }

    function testALateReportEarnsNothing() public {
        _commit(STRANGER);
        vm.warp(block.timestamp + 1 days + 1);
        _report(STRANGER);
        assertEq(registry.owedTo(STRANGER), 0);
    }

    function testARenewedCommitmentEarns() public {
        bytes32 commitment = _commit(STRANGER);
        vm.warp(block.timestamp + 1 days + 1);
        slashing.commitReport(commitment);
        vm.warp(block.timestamp + 1);
        _report(STRANGER);
        assertEq(registry.owedTo(STRANGER), VALIDATOR_BOND * 3 / 10);
    }

    function testAMemberEarnsNothing() public {
        _commit(validators[3]);
        vm.warp(block.timestamp + 1);
        _report(validators[3]);
        assertEq(registry.owedTo(validators[3]), 0);
        assertEq(registry.pendingBurn(), VALIDATOR_BOND);
    }

    function testGovernanceSetsTheParameters() public {
        ISlashingManager.Parameters memory given = ISlashingManager.Parameters(64, 5_000, 500, 60 days);
        vm.expectEmit(address(slashing));
        emit ISlashingManager.ParametersChanged(given);
        slashing.setParameters(given);
        assertEq(keccak256(abi.encode(slashing.parameters())), keccak256(abi.encode(given)));
        slashing.setParameters(ISlashingManager.Parameters(2, 1, 1, 0));
        vm.expectRevert(
            abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, STRANGER, bytes32(0))
        );
        vm.prank(STRANGER);
        slashing.setParameters(given);
    }

    function _commit(address reporter) private returns (bytes32 commitment) {
        bytes32 fault = slashing.validatorFaultIdOf("votes", VALIDATION, validator);
        commitment = keccak256(abi.encode(reporter, fault));
        vm.expectEmit(address(slashing));
        emit ISlashingManager.ReportCommitted(reporter, commitment);
        vm.prank(reporter);
        slashing.commitReport(commitment);
    }

    function _report(address reporter) private {
        bytes memory a = compact(keys[0], attestationOf(VALIDATION, "a", validator));
        bytes memory b = compact(keys[0], attestationOf(VALIDATION, "b", validator));
        vm.prank(reporter);
        slashing.proveVoteEquivocation(validator, VALIDATION, "a", a, "b", b);
    }

    function _header(uint64 sequence, uint64 epoch, bytes32 root)
        private
        view
        returns (ISlashingManager.SignedHeader memory)
    {
        TypedData.BatchHeader memory header = nextHeader(root, 1);
        (header.sequence, header.epoch) = (sequence, epoch);
        return ISlashingManager.SignedHeader(header, compact(keys[0], settlement.hashHeader(header)));
    }

    function _expectNone(ISlashingManager.SignedHeader memory a, ISlashingManager.SignedHeader memory b) private {
        vm.expectRevert(ISlashingManager.NoEquivocation.selector);
        slashing.proveHeaderEquivocation(validator, a, b);
    }
}
