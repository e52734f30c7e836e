// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";

import {Settlement} from "../src/Settlement.sol";
import {ISettlement} from "../src/interfaces/ISettlement.sol";
import {TypedData} from "../src/libraries/TypedData.sol";
import {Fixture} from "./support/Fixture.sol";

/// @notice When a header becomes final, and that it stays so.
contract SettlementFinalityTest is Fixture {
    uint24 internal constant HALF = CHALLENGE / 2;

    function setUp() public {
        deployAll();
        deposit(1_000);
    }

    function testAHeaderThatStandsAloneIsFinalAfterOneWindow() public {
        bytes32 first = _settle();
        assertEq(settlement.finalHeader(), 0);
        _pass(CHALLENGE - 1);
        _expectNotFinal(settled, 0);
        _pass(1);
        assertEq(settlement.finalHeader(), first);
        settlement.requireFinal(settled);
    }

    function testUnderSteadyTrafficAHeaderIsFinalAfterTheCandidatesWindow() public {
        assertEq(settlement.candidateHeader(), 0);
        bytes32 first = _settle();
        _pass(HALF);
        bytes32 second = _settle();
        _pass(HALF - 1);
        bytes32 third = _settle();
        assertEq(settlement.finalHeader(), 0);
        assertEq(settlement.candidateHeader(), first);
        _pass(1);
        assertEq(settlement.finalHeader(), first);
        _settle();
        // The last but one before that settlement is the candidate, and keeps its own time.
        assertEq(settlement.finalHeader(), first);
        assertEq(settlement.candidateHeader(), third);
        _pass(CHALLENGE - 2);
        _settle();
        assertEq(settlement.finalHeader(), first);
        _pass(1);
        assertEq(settlement.finalHeader(), third);
        assertTrue(second != third, "two headers");
    }

    function testALastHeaderThatMaturedIsWrittenDownByTheNext() public {
        bytes32 first = _settle();
        _pass(CHALLENGE);
        bytes32 second = _settle();
        assertEq(settlement.finalHeader(), first);
        _pass(CHALLENGE - 1);
        _settle();
        assertEq(settlement.finalHeader(), first);
        _pass(1);
        assertEq(settlement.finalHeader(), second);
    }

    function testOnlyTheNewestFinalHeaderCounts() public {
        bytes32 first = _settle();
        TypedData.BatchHeader memory old = settled;
        _pass(CHALLENGE);
        settlement.requireFinal(old);
        bytes32 second = _settle();
        _expectNotFinal(settled, first);
        _pass(CHALLENGE);
        _expectNotFinal(old, second);
    }

    function testAPauseStartsTheWindowAnew() public {
        bytes32 first = _settle();
        _pass(CHALLENGE - 1);
        uint256 until = _pause();
        vm.warp(until + CHALLENGE - 1);
        assertEq(settlement.finalHeader(), 0);
        _pass(1);
        assertEq(settlement.finalHeader(), first);
    }

    function testAPauseThatEndsEarlyStartsTheWindowAnewToo() public {
        bytes32 first = _settle();
        _pause();
        _pass(1 hours);
        vm.prank(GUARDIAN);
        settlement.unpause();
        assertEq(settlement.pausedUntil(), block.timestamp);
        _pass(CHALLENGE - 1);
        assertEq(settlement.finalHeader(), 0);
        _pass(1);
        vm.prank(GUARDIAN);
        settlement.unpause();
        assertEq(settlement.finalHeader(), first);
    }

    function testWhatIsFinalStaysFinalInAPause() public {
        bytes32 first = _settle();
        _pass(CHALLENGE);
        uint256 until = _pause();
        assertEq(settlement.finalHeader(), first);
        vm.warp(until - 1);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.IsPaused.selector, until));
        settlement.requireFinal(settled);
        vm.warp(until);
        settlement.requireFinal(settled);
        bytes32 second = _settle();
        _pass(CHALLENGE - 1);
        assertEq(settlement.finalHeader(), first);
        _settle();
        _pass(1);
        assertEq(settlement.finalHeader(), second);
    }

    function testACandidateThatIsFinalStaysFinalInAPause() public {
        bytes32 first = _settle();
        _pass(HALF);
        bytes32 second = _settle();
        _pass(HALF);
        uint256 until = _pause();
        assertEq(settlement.finalHeader(), first);
        vm.warp(until + 1);
        _settle();
        vm.warp(until + CHALLENGE - 1);
        assertEq(settlement.finalHeader(), first);
        _pass(1);
        assertEq(settlement.finalHeader(), second);
    }

    function testALongerWindowUndoesNoFinality() public {
        bytes32 first = _settle();
        _pass(CHALLENGE);
        vm.expectEmit(address(settlement));
        emit ISettlement.ChallengeSecondsChanged(CHALLENGE + 1);
        settlement.setChallengeSeconds(CHALLENGE + 1);
        assertEq(settlement.challengeSeconds(), CHALLENGE + 1);
        assertEq(settlement.finalHeader(), first);
        bytes32 second = _settle();
        _pass(CHALLENGE);
        assertEq(settlement.finalHeader(), first);
        _pass(1);
        assertEq(settlement.finalHeader(), second);
    }

    function testTheWindowIsBounded() public {
        assertEq(settlement.minChallengeSeconds(), 1 hours);
        _expectInvalid(1 hours - 1);
        settlement.setChallengeSeconds(1 hours);
        _expectInvalid(uint24(WITHDRAWAL / 2));
        settlement.setChallengeSeconds(uint24(WITHDRAWAL / 2 - 1));
        vm.mockCall(
            address(escrow), abi.encodeWithSelector(escrow.withdrawalDelay.selector), abi.encode(uint256(90 days))
        );
        _expectInvalid(30 days + 1);
        settlement.setChallengeSeconds(30 days);
    }

    function testATrialsWindowMayBeSeconds() public {
        Settlement trial =
            Settlement(deploy("Settlement", abi.encode(sets, escrow, slashing, address(this), GUARDIAN, uint24(5))));
        assertEq(trial.minChallengeSeconds(), 5);
        trial.setChallengeSeconds(1 hours);
        trial.setChallengeSeconds(5);
    }

    function testOnlyTheAdminSetsTheWindow() public {
        vm.expectRevert(
            abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, GUARDIAN, bytes32(0))
        );
        vm.prank(GUARDIAN);
        settlement.setChallengeSeconds(2 hours);
    }

    function _expectInvalid(uint24 given) private {
        vm.expectRevert(abi.encodeWithSelector(ISettlement.InvalidChallengeSeconds.selector, given));
        settlement.setChallengeSeconds(given);
    }

    function _expectNotFinal(TypedData.BatchHeader memory header, bytes32 finalHeader) private {
        bytes32 given = settlement.hashHeader(header);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.HeaderNotFinal.selector, given, finalHeader));
        settlement.requireFinal(header);
    }

    function _pause() private returns (uint256) {
        vm.prank(GUARDIAN);
        settlement.pause();
        return settlement.pausedUntil();
    }

    function _settle() private returns (bytes32 headerHash) {
        settle(nextHeader(keccak256("balances"), 1));
        (, headerHash,) = settlement.lastBatch();
    }

    function _pass(uint256 duration) private {
        vm.warp(block.timestamp + duration);
    }
}
