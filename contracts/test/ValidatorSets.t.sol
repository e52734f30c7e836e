// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";

import {INodeRegistry} from "../src/interfaces/INodeRegistry.sol";
import {IValidatorSets} from "../src/interfaces/IValidatorSets.sol";
import {Fixture} from "./support/Fixture.sol";

contract ValidatorSetsTest is Fixture {
    bytes32 internal constant DIGEST = keccak256("header");

    function setUp() public {
        deployAll();
    }

    function testGenesisIsEpochOne() public view {
        assertEq(sets.epoch(), 1);
        assertEq(sets.quorumOf(1), QUORUM);
        address[] memory members = sets.validatorsOf(1);
        assertEq(members.length, VALIDATORS);
        for (uint256 i = 0; i < VALIDATORS; ++i) {
            assertEq(members[i], validators[i]);
            assertTrue(sets.isMember(1, validators[i]), "member");
        }
        assertTrue(!sets.isMember(1, STRANGER), "stranger");
        assertEq(sets.retiredAt(1), 0);
    }

    function testAQuorumVerifies() public view {
        sets.verify(DIGEST, 1, 0x1f, certify(DIGEST, 0x1f));
        sets.verify(DIGEST, 1, 0x6b, certify(DIGEST, 0x6b));
        sets.verify(DIGEST, 1, 0x7f, certify(DIGEST, 0x7f));
    }

    function testOneBelowTheQuorumDoesNot() public {
        bytes memory signatures = certify(DIGEST, 0x0f);
        vm.expectRevert(abi.encodeWithSelector(IValidatorSets.QuorumNotReached.selector, 4, 5));
        sets.verify(DIGEST, 1, 0x0f, signatures);
    }

    function testASignatureOfAnotherDigestIsRefused() public {
        bytes memory signatures = certify(keccak256("other"), 0x1f);
        vm.expectRevert(abi.encodeWithSelector(IValidatorSets.InvalidSignature.selector, 0));
        sets.verify(DIGEST, 1, 0x1f, signatures);
    }

    function testASignatureCannotStandForAnotherMember() public {
        // Member 0 five times, against a bitmap of five members.
        bytes memory one = compact(keys[0], DIGEST);
        bytes memory five = bytes.concat(one, one, one, one, one);
        vm.expectRevert(abi.encodeWithSelector(IValidatorSets.InvalidSignature.selector, 1));
        sets.verify(DIGEST, 1, 0x1f, five);
    }

    function testGarbageIsRefused() public {
        vm.expectRevert(abi.encodeWithSelector(IValidatorSets.InvalidSignature.selector, 0));
        sets.verify(DIGEST, 1, 0x1f, new bytes(320));
    }

    function testABitOutsideTheSetIsRefused() public {
        bytes memory signatures = certify(DIGEST, 0x1f);
        vm.expectRevert(abi.encodeWithSelector(IValidatorSets.UnknownSigner.selector, 7));
        sets.verify(DIGEST, 1, 0x9f, signatures);
    }

    function testSignaturesMustMatchTheBitmapInNumber() public {
        bytes memory signatures = certify(DIGEST, 0x1f);
        vm.expectRevert(abi.encodeWithSelector(IValidatorSets.SignatureCountMismatch.selector, 320, 384));
        sets.verify(DIGEST, 1, 0x3f, signatures);
        bytes memory more = bytes.concat(signatures, hex"00");
        vm.expectRevert(abi.encodeWithSelector(IValidatorSets.SignatureCountMismatch.selector, 321, 320));
        sets.verify(DIGEST, 1, 0x1f, more);
    }

    function testUnknownEpochsAreRefused() public {
        vm.expectRevert(abi.encodeWithSelector(IValidatorSets.UnknownEpoch.selector, 2));
        sets.verify(DIGEST, 2, 0, "");
        vm.expectRevert(abi.encodeWithSelector(IValidatorSets.UnknownEpoch.selector, 0));
        sets.validatorsOf(0);
        vm.expectRevert(abi.encodeWithSelector(IValidatorSets.UnknownEpoch.selector, 0));
        sets.retiredAt(0);
        vm.expectRevert(abi.encodeWithSelector(IValidatorSets.UnknownEpoch.selector, 2));
        sets.retiredAt(2);
    }

    function testRotationBeginsAnEpochOfActiveValidators() public {
        address[] memory next = _bondedPair();
        vm.expectEmit(address(sets));
        emit IValidatorSets.Rotated(2, next);
        sets.rotate(next);
        assertEq(sets.epoch(), 2);
        assertEq(sets.quorumOf(2), 2);
        assertEq(sets.validatorsOf(1).length, VALIDATORS);
        assertEq(sets.retiredAt(1), block.timestamp);
        assertEq(sets.retiredAt(2), 0);
    }

    function testOnlyTheRotatorRotates() public {
        bytes32 role = sets.ROTATOR_ROLE();
        vm.expectRevert(
            abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, STRANGER, role)
        );
        vm.prank(STRANGER);
        sets.rotate(validators);
    }

    function testUnbondedValidatorsCannotEnter() public {
        vm.expectRevert(abi.encodeWithSelector(IValidatorSets.NotAnActiveValidator.selector, validators[0]));
        sets.rotate(validators);
    }

    function testSetsMustBeAscendingAndOfASaneSize() public {
        address[] memory next = _bondedPair();
        (next[0], next[1]) = (next[1], next[0]);
        vm.expectRevert(abi.encodeWithSelector(IValidatorSets.NotAscending.selector, next[0], next[1]));
        sets.rotate(next);
        next[1] = next[0];
        vm.expectRevert(abi.encodeWithSelector(IValidatorSets.NotAscending.selector, next[0], next[1]));
        sets.rotate(next);
        vm.expectRevert(IValidatorSets.EmptySet.selector);
        sets.rotate(new address[](0));
        assertNotDeployable(
            "ValidatorSets",
            abi.encode(registry, settlement, address(this), new address[](0), GRACE, new address[](129)),
            abi.encodeWithSelector(IValidatorSets.TooManyValidators.selector, 129)
        );
        assertNotDeployable(
            "ValidatorSets",
            abi.encode(registry, settlement, address(this), new address[](0), 7 days + 1, validators),
            abi.encodeWithSelector(IValidatorSets.InvalidParameter.selector)
        );
        deploy("ValidatorSets", abi.encode(registry, settlement, address(this), new address[](0), 7 days, validators));
        address[] memory largest = new address[](128);
        for (uint256 i = 0; i < largest.length; ++i) {
            largest[i] = address(uint160(i + 1));
        }
        deploy("ValidatorSets", abi.encode(registry, settlement, address(this), new address[](0), GRACE, largest));
    }

    function testThePreviousEpochStaysLiveForTheGracePeriodOnly() public {
        bytes memory signatures = certify(DIGEST, 0x1f);
        address store = sets.liveStoreOf(1);
        assertEq(store.code.length, 1 + 20 * VALIDATORS);
        sets.rotate(_bondedPair());
        vm.warp(block.timestamp + GRACE);
        assertEq(sets.liveStoreOf(1), store);
        assertEq(sets.liveStoreOf(2).code.length, 41);
        assertTrue(sets.isLive(1), "in the grace period");
        vm.warp(block.timestamp + 1);
        assertTrue(!sets.isLive(1), "after the grace period");
        vm.expectRevert(abi.encodeWithSelector(IValidatorSets.EpochRetired.selector, 1, 2));
        sets.liveStoreOf(1);
        sets.verify(DIGEST, 1, 0x1f, signatures);
    }

    function testTwoEpochsBackIsNeverLive() public {
        address[] memory next = _bondedPair();
        sets.rotate(next);
        sets.rotate(next);
        vm.expectRevert(abi.encodeWithSelector(IValidatorSets.EpochRetired.selector, 1, 3));
        sets.liveStoreOf(1);
    }

    function testFuzzOnlyQuorumsOfMembersVerify(uint256 bitmap) public {
        bitmap = bound(bitmap, 0, 0x7f);
        uint256 signers = 0;
        for (uint256 i = 0; i < VALIDATORS; ++i) {
            signers += (bitmap >> i) & 1;
        }
        bytes memory signatures = certify(DIGEST, bitmap);
        if (signers < QUORUM) {
            vm.expectRevert(abi.encodeWithSelector(IValidatorSets.QuorumNotReached.selector, signers, 5));
        }
        sets.verify(DIGEST, 1, bitmap, signatures);
    }

    function _bondedPair() private returns (address[] memory pair) {
        pair = new address[](2);
        (pair[0], pair[1]) = (validators[0], validators[1]);
        bondNode(pair[0], INodeRegistry.Role.Validator, VALIDATOR_BOND);
        bondNode(pair[1], INodeRegistry.Role.Validator, VALIDATOR_BOND);
    }
}
