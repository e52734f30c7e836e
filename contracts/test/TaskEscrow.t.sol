// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ITaskEscrow} from "../src/interfaces/ITaskEscrow.sol";
import {Fixture} from "./support/Fixture.sol";

contract TaskEscrowTest is Fixture {
    function setUp() public {
        deployAll();
    }

    function testDepositsAddUp() public {
        deposit(5);
        fund(STRANGER, address(escrow), 7);
        vm.expectEmit(address(escrow));
        emit ITaskEscrow.Deposited(REQUESTER, STRANGER, 7, 12);
        vm.prank(STRANGER);
        escrow.depositFor(REQUESTER, 7);
        assertEq(escrow.depositedOf(REQUESTER), 12);
        assertEq(escrow.totalDeposited(), 12);
        assertEq(token.balanceOf(address(escrow)), 12);
    }

    function testEmptyDepositsAreRefused() public {
        vm.expectRevert(ITaskEscrow.InvalidAmount.selector);
        escrow.deposit(0);
        vm.expectRevert(ITaskEscrow.InvalidRequester.selector);
        escrow.depositFor(address(0), 1);
    }

    function testDepositWithPermitNeedsNoApproval() public {
        (uint8 v, bytes32 r, bytes32 s) = _permit(9);
        vm.prank(validators[0]);
        escrow.depositWithPermit(9, block.timestamp, v, r, s);
        assertEq(escrow.depositedOf(validators[0]), 9);
    }

    function testAFrontRunPermitDoesNoHarm() public {
        (uint8 v, bytes32 r, bytes32 s) = _permit(9);
        token.permit(validators[0], address(escrow), 9, block.timestamp, v, r, s);
        vm.prank(validators[0]);
        escrow.depositWithPermit(9, block.timestamp, v, r, s);
        assertEq(escrow.depositedOf(validators[0]), 9);
    }

    function testOnlyTheDistributorPaysOut() public {
        deposit(5);
        vm.expectRevert(abi.encodeWithSelector(ITaskEscrow.NotDistributor.selector, STRANGER));
        vm.prank(STRANGER);
        escrow.payOut(STRANGER, 5);
        vm.expectEmit(address(escrow));
        emit ITaskEscrow.PaidOut(STRANGER, 2);
        vm.prank(address(distributor));
        assertEq(escrow.payOut(STRANGER, 2), 2);
        assertEq(escrow.totalPaid(), 2);
        assertEq(token.balanceOf(STRANGER), 2);
    }

    function _permit(uint256 amount) private returns (uint8 v, bytes32 r, bytes32 s) {
        token.mint(validators[0], amount);
        bytes32 permit = keccak256(
            abi.encode(
                keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
                validators[0],
                address(escrow),
                amount,
                0,
                block.timestamp
            )
        );
        return vm.sign(keys[0], keccak256(abi.encodePacked(hex"1901", token.DOMAIN_SEPARATOR(), permit)));
    }
}
