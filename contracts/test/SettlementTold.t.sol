// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INodeRegistry} from "../src/interfaces/INodeRegistry.sol";
import {ISettlement} from "../src/interfaces/ISettlement.sol";
import {IValidatorSets} from "../src/interfaces/IValidatorSets.sol";
import {TypedData} from "../src/libraries/TypedData.sol";
import {Fixture} from "./support/Fixture.sol";

/// @notice What Settlement was told stands for asking: it must never say more than the others would.
contract SettlementToldTest is Fixture {
    bytes32 internal constant ROOT = keccak256("balances");
    uint256 internal constant UNIT = 2 ** 32;

    function setUp() public {
        deployAll();
        deposit(10 ether);
    }

    function testTheEscrowIsAskedOnceForWhatItCovers() public {
        settle(nextHeader(ROOT, 1));
        _mockHeld(0);
        settle(nextHeader(ROOT, 10 ether - 10 ether % UNIT));
        _expectExceeds(10 ether, 0);
    }

    function testWhatIsCoveredIsRoundedDown() public {
        deposit(UNIT - 1);
        settle(nextHeader(ROOT, 1));
        uint256 covered = (10 ether + UNIT - 1) - (10 ether + UNIT - 1) % UNIT;
        _mockHeld(1);
        _expectExceeds(covered + 1, 1);
        settle(nextHeader(ROOT, covered));
    }

    function testALaterDepositCoversMore() public {
        settle(nextHeader(ROOT, 10 ether));
        _expectExceeds(10 ether + 1, 10 ether);
        deposit(5 ether);
        settle(nextHeader(ROOT, 15 ether));
        _expectExceeds(15 ether + 1, 15 ether);
    }

    function testWhatARequesterTakesBackCoversNothingAnyMore() public {
        settle(nextHeader(ROOT, 1));
        vm.prank(REQUESTER);
        escrow.requestWithdrawal(4 ether);
        vm.warp(block.timestamp + WITHDRAWAL);
        vm.prank(REQUESTER);
        escrow.withdraw(STRANGER);
        _expectExceeds(6 ether + 1, 6 ether);
        settle(nextHeader(ROOT, 6 ether));
    }

    function testSumsBeyondSixtyFourBitsOfUnitsAreCoveredUpToThere() public {
        uint256 most = uint256(type(uint64).max) * UNIT;
        _mockHeld(type(uint128).max);
        settle(nextHeader(ROOT, 1));
        _mockHeld(0);
        settle(nextHeader(ROOT, most));
        _expectExceeds(most + 1, 0);
    }

    function testANewEpochIsKnownAtOnceAndTheOldOneIsAskedFor() public {
        TypedData.BatchHeader memory old = nextHeader(ROOT, 1);
        bytes memory signatures = certify(settlement.hashHeader(old), 0x1f);
        sets.rotate(_bonded());
        settlement.settle(old, 0x1f, signatures);
        vm.mockCall(address(sets), abi.encodeWithSelector(sets.liveStoreOf.selector), abi.encode(address(0)));
        TypedData.BatchHeader memory next = nextHeader(ROOT, 1);
        assertEq(next.epoch, 2);
        // One member, index 0 of the new set; its account is not asked for.
        settlement.settle(next, 1, compact(keys[0], settlement.hashHeader(next)));
    }

    function testARetiredEpochSettlesNothing() public {
        TypedData.BatchHeader memory old = nextHeader(ROOT, 1);
        bytes memory signatures = certify(settlement.hashHeader(old), 0x1f);
        sets.rotate(_bonded());
        vm.warp(block.timestamp + GRACE + 1);
        vm.expectRevert(abi.encodeWithSelector(IValidatorSets.EpochRetired.selector, 1, 2));
        settlement.settle(old, 0x1f, signatures);
    }

    function testAnExpelledValidatorsSetIsNotTakenAnyMore() public {
        sets.grantRole(sets.REMOVER_ROLE(), address(this));
        TypedData.BatchHeader memory old = nextHeader(ROOT, 1);
        bytes memory signatures = certify(settlement.hashHeader(old), 0x1f);
        address[] memory guilty = new address[](1);
        guilty[0] = validators[0];
        sets.remove(guilty);
        vm.expectRevert(abi.encodeWithSelector(IValidatorSets.EpochRetired.selector, 1, 2));
        settlement.settle(old, 0x1f, signatures);
    }

    function testOnlyTheOthersTell() public {
        vm.expectRevert(abi.encodeWithSelector(ISettlement.NotValidatorSets.selector, address(this)));
        settlement.followEpoch(2, STRANGER);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.NotEscrow.selector, address(this)));
        settlement.uncover();
    }

    function _bonded() private returns (address[] memory next) {
        next = new address[](1);
        next[0] = validators[0];
        bondNode(next[0], INodeRegistry.Role.Validator, VALIDATOR_BOND);
    }

    function _mockHeld(uint256 held) private {
        vm.mockCall(address(escrow), abi.encodeWithSelector(escrow.totalHeld.selector), abi.encode(held));
    }

    function _expectExceeds(uint256 settledWei, uint256 held) private {
        TypedData.BatchHeader memory header = nextHeader(ROOT, settledWei);
        bytes memory signatures = certify(settlement.hashHeader(header), 0x1f);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.SettledExceedsDeposits.selector, settledWei, held));
        settlement.settle(header, 0x1f, signatures);
    }
}
