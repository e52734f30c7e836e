// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INodeRegistry} from "../src/interfaces/INodeRegistry.sol";
import {IDisputes} from "../src/interfaces/IDisputes.sol";
import {DisputeFixture} from "./support/DisputeFixture.sol";

/// @notice Who is drawn, and how the jury votes.
contract DisputesJuryTest is DisputeFixture {
    function testDrawsAJuryOfMembersThatAreNotAccused() public {
        bytes32 id = open(1);
        address[] memory jury = draw(id);
        assertEq(jury.length, 3);
        for (uint256 i = 0; i < jury.length; ++i) {
            assertTrue(sets.isMember(1, jury[i]) && jury[i] != validators[0], "an independent member");
            for (uint256 j = 0; j < i; ++j) {
                assertTrue(jury[i] != jury[j], "drawn once");
            }
        }
        assertEq(disputes.disputeOf(id).deadline, block.timestamp + 12 hours);
        vm.expectRevert(_wrongState(IDisputes.State.Committing, IDisputes.State.Drawing));
        disputes.draw(id);
    }

    function testAJuryIsLargerThanTheAccused() public {
        bytes32 id = open(3);
        assertEq(draw(id).length, 4);
    }

    function testTheSeedIsThatOfALaterBlock() public {
        bytes32 id = open(1);
        uint256 seedBlock = block.number + 2;
        vm.roll(seedBlock);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.SeedNotMined.selector, seedBlock));
        disputes.draw(id);
        vm.roll(seedBlock + 1);
        disputes.draw(id);
    }

    function testAMissedSeedIsReplaced() public {
        bytes32 id = open(1);
        vm.roll(block.number + 2 + 257);
        disputes.draw(id);
        assertEq(disputes.juryOf(id).length, 0);
        assertEq(disputes.disputeOf(id).seedBlock, block.number + 2);
        assertEq(draw(id).length, 3);
    }

    function testTheSeedDecides() public {
        bytes32 id = open(1);
        vm.roll(block.number + 3);
        bool differs = false;
        address[] memory first = _drawWith(id, bytes32(uint256(1)));
        for (uint256 seed = 2; seed < 6 && !differs; ++seed) {
            differs = keccak256(abi.encode(_drawWith(id, bytes32(seed)))) != keccak256(abi.encode(first));
        }
        assertTrue(differs, "another seed, another jury");
    }

    /// @dev Anybody can tell from the block's hash who must be drawn.
    function testTheLowestTicketsAreDrawnInOrder() public {
        bytes32 id = open(1);
        vm.roll(block.number + 3);
        bytes32 seed = keccak256(abi.encode(bytes32(uint256(1)), id));
        address[] memory jury = _drawWith(id, bytes32(uint256(1)));
        for (uint256 i = 0; i < jury.length; ++i) {
            uint256 lower = 0;
            for (uint256 j = 1; j < VALIDATORS; ++j) {
                if (_ticket(seed, validators[j]) < _ticket(seed, jury[i])) ++lower;
            }
            assertEq(lower, i);
        }
    }

    function _ticket(bytes32 seed, address member) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, member)));
    }

    /// @dev Else members of one's own could be unbonded until a welcome jury is drawn.
    function testAMemberThatLeavesBeforeTheDrawChangesNoOthersTicket() public {
        bytes32 id = open(1);
        vm.roll(block.number + 3);
        address[] memory before = _drawWith(id, bytes32(uint256(7)));
        uint256 outsider = 1;
        while (_contains(before, validators[outsider])) ++outsider;
        vm.prank(validators[outsider]);
        registry.requestUnbond(validators[outsider], 1);
        vm.setBlockhash(block.number - 1, bytes32(uint256(7)));
        vm.expectEmit(address(disputes));
        emit IDisputes.Drawn(id, before, block.timestamp + 12 hours);
        disputes.draw(id);
        assertEq(keccak256(abi.encode(disputes.juryOf(id))), keccak256(abi.encode(before)));
    }

    function testWhoIsNotIndependentIsNotDrawn() public {
        // Of six that are not accused, one is underbonded and one is the challenger.
        vm.prank(validators[1]);
        registry.requestUnbond(validators[1], 1);
        bytes32 id = openBy(validators[2], receiptOf("doubted"), 1);
        address[] memory jury = draw(id);
        for (uint256 i = 0; i < jury.length; ++i) {
            assertTrue(jury[i] != validators[1] && jury[i] != validators[2], "left out");
        }
    }

    function testNodesOfOnesOwnerAreNotDrawn() public {
        _move(validators[1], STRANGER);
        _move(validators[2], validators[0]);
        _move(validators[3], worker);
        bytes32 id = open(1);
        address[] memory jury = draw(id);
        for (uint256 i = 0; i < jury.length; ++i) {
            assertTrue(_indexOf(jury[i]) > 3, "left out");
        }
    }

    function testWithTooFewTheDisputeEndsWithoutARuling() public {
        bytes32 id = open(4);
        vm.roll(block.number + 3);
        vm.expectEmit(address(disputes));
        emit IDisputes.Executed(id, IDisputes.Ruling.Inconclusive);
        disputes.draw(id);
        assertEq(disputes.owedTo(STRANGER), DISPUTE_BOND);
        assertEq(uint256(disputes.disputeOf(id).state), uint256(IDisputes.State.Closed));
    }

    function testJurorsCommitOnceAndInTime() public {
        bytes32 id = open(1);
        vm.expectRevert(_wrongState(IDisputes.State.Drawing, IDisputes.State.Committing));
        disputes.commit(id, SALT);
        address[] memory jury = draw(id);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.NotAJuror.selector, STRANGER));
        vm.prank(STRANGER);
        disputes.commit(id, SALT);
        vm.startPrank(jury[0]);
        bytes memory refusal = abi.encodeWithSelector(IDisputes.WrongCommitment.selector, jury[0]);
        vm.expectRevert(refusal);
        disputes.commit(id, 0);
        vm.expectRevert(refusal);
        disputes.commit(id, bytes32(type(uint256).max));
        vm.expectEmit(address(disputes));
        emit IDisputes.Committed(id, jury[0]);
        disputes.commit(id, SALT);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.AlreadyVoted.selector, jury[0]));
        disputes.commit(id, SALT);
        vm.stopPrank();
        uint256 deadline = disputes.disputeOf(id).deadline;
        vm.warp(deadline);
        commitAs(jury[1], id, RIGHT);
        vm.warp(deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.TooLate.selector, deadline));
        vm.prank(jury[2]);
        disputes.commit(id, SALT);
    }

    function testJurorsRevealWhatTheyCommittedOnceAndInTime() public {
        bytes32 id = open(1);
        address[] memory jury = draw(id);
        commitAs(jury[0], id, WRONG);
        commitAs(jury[1], id, RIGHT);
        uint256 deadline = disputes.disputeOf(id).deadline;
        vm.warp(deadline);
        vm.expectRevert(_wrongState(IDisputes.State.Committing, IDisputes.State.Revealing));
        vm.prank(jury[0]);
        disputes.reveal(id, WRONG, SALT);
        vm.warp(deadline + 1);
        _expectReveal(jury[0], id, 3, abi.encodeWithSelector(IDisputes.InvalidVerdict.selector, 3));
        _expectReveal(jury[0], id, 0, abi.encodeWithSelector(IDisputes.InvalidVerdict.selector, 0));
        _expectReveal(jury[0], id, RIGHT, abi.encodeWithSelector(IDisputes.WrongCommitment.selector, jury[0]));
        _expectReveal(jury[2], id, WRONG, abi.encodeWithSelector(IDisputes.WrongCommitment.selector, jury[2]));
        vm.expectEmit(address(disputes));
        emit IDisputes.Revealed(id, jury[0], WRONG);
        revealAs(jury[0], id, WRONG);
        assertEq(disputes.disputeOf(id).overturn, 1);
        _expectReveal(jury[0], id, WRONG, abi.encodeWithSelector(IDisputes.AlreadyVoted.selector, jury[0]));
        vm.warp(deadline + 12 hours);
        revealAs(jury[1], id, RIGHT);
        assertEq(disputes.disputeOf(id).uphold, 1);
        vm.warp(deadline + 12 hours + 1);
        _expectReveal(jury[2], id, RIGHT, abi.encodeWithSelector(IDisputes.TooLate.selector, deadline + 12 hours));
    }

    function testACompleteJuryRevealsAtOnce() public {
        bytes32 id = open(1);
        address[] memory jury = draw(id);
        vm.warp(block.timestamp + 1 hours);
        commitAs(jury[0], id, WRONG);
        commitAs(jury[1], id, WRONG);
        vm.expectRevert(_wrongState(IDisputes.State.Committing, IDisputes.State.Revealing));
        vm.prank(jury[0]);
        disputes.reveal(id, WRONG, SALT);
        commitAs(jury[2], id, RIGHT);
        assertEq(disputes.disputeOf(id).committed, 3);
        uint256 deadline = block.timestamp + 12 hours;
        assertEq(disputes.disputeOf(id).deadline, deadline);
        revealAs(jury[0], id, WRONG);
        assertEq(disputes.disputeOf(id).deadline, deadline);
        vm.warp(deadline);
        revealAs(jury[1], id, WRONG);
        vm.warp(deadline + 1);
        _expectReveal(jury[2], id, RIGHT, abi.encodeWithSelector(IDisputes.TooLate.selector, deadline));
    }

    function _drawWith(bytes32 id, bytes32 seed) private returns (address[] memory jury) {
        vm.setBlockhash(block.number - 1, seed);
        try this.drawAndUndo(id) {}
        catch (bytes memory answer) {
            jury = abi.decode(answer, (address[]));
        }
    }

    function drawAndUndo(bytes32 id) external {
        disputes.draw(id);
        bytes memory jury = abi.encode(disputes.juryOf(id));
        assembly ("memory-safe") {
            revert(add(jury, 0x20), mload(jury))
        }
    }

    /// @dev Unbonds a validator and bonds it again under another owner.
    function _move(address validator, address owner) private {
        vm.prank(validator);
        registry.requestUnbond(validator, VALIDATOR_BOND);
        vm.warp(block.timestamp + VALIDATOR_DELAY);
        registry.withdraw(validator);
        bytes32 consent = keccak256(
            abi.encode(
                registry.BOND_CONSENT_TYPEHASH(),
                validator,
                uint8(INodeRegistry.Role.Validator),
                owner,
                owner,
                uint64(block.timestamp)
            )
        );
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Inferium"),
                keccak256("1"),
                block.chainid,
                address(registry)
            )
        );
        bytes memory signature =
            compact(keys[_indexOf(validator)], keccak256(abi.encodePacked(hex"1901", domain, consent)));
        fund(owner, address(registry), VALIDATOR_BOND);
        vm.prank(owner);
        registry.bondWithConsent(
            validator, INodeRegistry.Role.Validator, owner, VALIDATOR_BOND, uint64(block.timestamp), signature
        );
    }

    function _expectReveal(address juror, bytes32 id, uint8 verdict, bytes memory refusal) private {
        vm.expectRevert(refusal);
        vm.prank(juror);
        disputes.reveal(id, verdict, SALT);
    }

    function _wrongState(IDisputes.State actual, IDisputes.State wanted) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IDisputes.WrongState.selector, actual, wanted);
    }

    function _indexOf(address validator) private view returns (uint256 index) {
        while (validators[index] != validator) ++index;
    }

    function _contains(address[] memory list, address account) private pure returns (bool) {
        for (uint256 i = 0; i < list.length; ++i) {
            if (list[i] == account) return true;
        }
        return false;
    }
}
