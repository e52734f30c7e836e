// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";

import {NodeRegistry} from "../src/NodeRegistry.sol";
import {INodeRegistry} from "../src/interfaces/INodeRegistry.sol";
import {Signatures} from "../src/libraries/Signatures.sol";
import {Fixture} from "./support/Fixture.sol";

contract NodeRegistryTest is Fixture {
    INodeRegistry.Role internal constant WORKER = INodeRegistry.Role.Worker;
    INodeRegistry.Role internal constant VALIDATOR = INodeRegistry.Role.Validator;
    uint256 internal constant NODE_KEY = 0xA11CE;
    address internal constant OWNER = address(0x0E);
    address internal constant PAYOUT = address(0xBA);
    bytes32 internal constant FAULT = keccak256("fault");
    address internal node;

    function setUp() public {
        deployAll();
        node = vm.addr(NODE_KEY);
    }

    function testBondByTheNodeMakesItActive() public {
        fund(node, address(registry), WORKER_BOND);
        vm.expectEmit(address(registry));
        emit INodeRegistry.Bonded(node, WORKER, node, PAYOUT, WORKER_BOND, WORKER_BOND);
        vm.prank(node);
        registry.bond(node, WORKER, PAYOUT, WORKER_BOND);
        assertTrue(registry.isActive(node, WORKER), "active worker");
        assertTrue(!registry.isActive(node, VALIDATOR), "no validator");
        assertEq(registry.stakeOf(node), WORKER_BOND);
        assertEq(registry.payoutOf(node), PAYOUT);
        assertEq(registry.nodeOf(node).owner, node);
        assertEq(token.balanceOf(address(registry)), WORKER_BOND);
    }

    function testBondWithConsentMakesTheCallerOwner() public {
        _bondAsOwner(WORKER, WORKER_BOND);
        assertEq(registry.nodeOf(node).owner, OWNER);
        assertEq(registry.payoutOf(node), PAYOUT);
    }

    function testStrangerCannotBondANodeFirst() public {
        fund(STRANGER, address(registry), WORKER_BOND);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NodeConsentMissing.selector, node));
        vm.prank(STRANGER);
        registry.bond(node, WORKER, STRANGER, WORKER_BOND);
    }

    function testConsentForAnotherOwnerIsRefused() public {
        bytes memory signature = _consent(WORKER, OWNER, uint64(block.timestamp));
        fund(STRANGER, address(registry), WORKER_BOND);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NodeConsentMissing.selector, node));
        vm.prank(STRANGER);
        registry.bondWithConsent(node, WORKER, PAYOUT, WORKER_BOND, uint64(block.timestamp), signature);
    }

    function testExpiredConsentIsRefused() public {
        uint64 expiresAt = uint64(block.timestamp);
        bytes memory signature = _consent(WORKER, OWNER, expiresAt);
        vm.warp(expiresAt + 1);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.ConsentExpired.selector, expiresAt));
        vm.prank(OWNER);
        registry.bondWithConsent(node, WORKER, PAYOUT, WORKER_BOND, expiresAt, signature);
    }

    function testConsentOfTheWrongLengthIsRefused() public {
        vm.expectRevert(abi.encodeWithSelector(Signatures.InvalidSignatureLength.selector, 65));
        vm.prank(OWNER);
        registry.bondWithConsent(node, WORKER, PAYOUT, WORKER_BOND, uint64(block.timestamp), new bytes(65));
    }

    function testBondBelowTheMinimumIsRefused() public {
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.BondTooSmall.selector, WORKER_BOND - 1, WORKER_BOND));
        vm.prank(node);
        registry.bond(node, WORKER, node, WORKER_BOND - 1);
    }

    function testBondWithoutRoleOrPayoutIsRefused() public {
        vm.startPrank(node);
        vm.expectRevert(INodeRegistry.InvalidRole.selector);
        registry.bond(node, INodeRegistry.Role.None, node, WORKER_BOND);
        vm.expectRevert(INodeRegistry.InvalidPayout.selector);
        registry.bond(node, WORKER, address(0), WORKER_BOND);
        vm.stopPrank();
    }

    function testSecondBondMustKeepRoleAndOwner() public {
        _bondAsOwner(WORKER, WORKER_BOND);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.WrongRole.selector, WORKER, VALIDATOR));
        vm.prank(OWNER);
        registry.bond(node, VALIDATOR, PAYOUT, VALIDATOR_BOND);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NotOwner.selector, STRANGER, OWNER));
        vm.prank(STRANGER);
        registry.bond(node, WORKER, STRANGER, 1);
    }

    function testOwnerTopsUpAndMovesThePayout() public {
        _bondAsOwner(WORKER, WORKER_BOND);
        fund(OWNER, address(registry), 1);
        vm.prank(OWNER);
        registry.bond(node, WORKER, STRANGER, 1);
        assertEq(registry.stakeOf(node), WORKER_BOND + 1);
        assertEq(registry.payoutOf(node), STRANGER);
    }

    function testOwnerSetsThePayout() public {
        _bondAsOwner(WORKER, WORKER_BOND);
        vm.expectEmit(address(registry));
        emit INodeRegistry.PayoutChanged(node, STRANGER);
        vm.prank(OWNER);
        registry.setPayout(node, STRANGER);
        assertEq(registry.payoutOf(node), STRANGER);
        vm.expectRevert(INodeRegistry.InvalidPayout.selector);
        vm.prank(OWNER);
        registry.setPayout(node, address(0));
    }

    function testOnlyTheOwnerSetsThePayoutOrUnbonds() public {
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.UnknownNode.selector, node));
        registry.setPayout(node, STRANGER);
        _bondAsOwner(WORKER, WORKER_BOND);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NotOwner.selector, node, OWNER));
        vm.prank(node);
        registry.setPayout(node, STRANGER);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NotOwner.selector, node, OWNER));
        vm.prank(node);
        registry.requestUnbond(node, 1);
    }

    function testPayoutOfAStrangerIsItself() public view {
        assertEq(registry.payoutOf(STRANGER), STRANGER);
    }

    function testUnbondWaitsForItsDelayThenPaysTheOwner() public {
        _bondAsOwner(WORKER, WORKER_BOND);
        uint256 releaseAt = block.timestamp + WORKER_DELAY;
        vm.expectEmit(address(registry));
        emit INodeRegistry.UnbondRequested(node, WORKER_BOND, releaseAt);
        vm.prank(OWNER);
        registry.requestUnbond(node, WORKER_BOND);
        assertEq(uint256(registry.stateOf(node)), uint256(INodeRegistry.State.Unbonding));
        vm.warp(releaseAt - 1);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.StillUnbonding.selector, releaseAt));
        registry.withdraw(node);
        vm.warp(releaseAt);
        vm.expectEmit(address(registry));
        emit INodeRegistry.Withdrawn(node, OWNER, WORKER_BOND);
        registry.withdraw(node);
        assertEq(token.balanceOf(OWNER), WORKER_BOND);
        assertEq(uint256(registry.stateOf(node)), uint256(INodeRegistry.State.None));
        assertEq(registry.payoutOf(node), PAYOUT);
    }

    function testValidatorsUnbondMoreSlowly() public {
        _bondAsOwner(VALIDATOR, VALIDATOR_BOND);
        vm.prank(OWNER);
        registry.requestUnbond(node, 1);
        assertEq(registry.nodeOf(node).releaseAt, block.timestamp + VALIDATOR_DELAY);
        assertEq(uint256(registry.stateOf(node)), uint256(INodeRegistry.State.Underbonded));
    }

    function testASecondRequestRestartsTheDelay() public {
        _bondAsOwner(WORKER, WORKER_BOND);
        vm.startPrank(OWNER);
        registry.requestUnbond(node, 1);
        vm.warp(block.timestamp + 1 days);
        registry.requestUnbond(node, 1);
        vm.stopPrank();
        assertEq(registry.nodeOf(node).releaseAt, block.timestamp + WORKER_DELAY);
        assertEq(registry.nodeOf(node).unbonding, 2);
    }

    function testUnbondOfNothingOrTooMuchIsRefused() public {
        _bondAsOwner(WORKER, WORKER_BOND);
        vm.startPrank(OWNER);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.AmountTooLarge.selector, 0, WORKER_BOND));
        registry.requestUnbond(node, 0);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.AmountTooLarge.selector, WORKER_BOND + 1, WORKER_BOND));
        registry.requestUnbond(node, WORKER_BOND + 1);
        vm.stopPrank();
    }

    function testWithdrawOfNothingIsRefused() public {
        vm.expectRevert(INodeRegistry.NothingToWithdraw.selector);
        registry.withdraw(node);
    }

    function testAWithdrawnNodeMayBondInAnotherRole() public {
        bondNode(node, WORKER, WORKER_BOND);
        vm.prank(node);
        registry.requestUnbond(node, WORKER_BOND);
        vm.warp(block.timestamp + WORKER_DELAY);
        registry.withdraw(node);
        bondNode(node, VALIDATOR, VALIDATOR_BOND);
        assertTrue(registry.isActive(node, VALIDATOR), "active validator");
    }

    function testSlashPaysTheReporterAndBurnsTheRest() public {
        bondNode(node, WORKER, WORKER_BOND);
        uint256 supply = token.totalSupply();
        vm.expectEmit(address(registry));
        emit INodeRegistry.Slashed(node, FAULT, STRANGER, 1_000 ether, 300 ether, 700 ether);
        vm.prank(address(slashing));
        registry.slash(node, WORKER, 1_000, FAULT, STRANGER);
        assertEq(token.balanceOf(STRANGER), 300 ether);
        assertEq(token.totalSupply(), supply - 700 ether);
        assertEq(registry.stakeOf(node), 9_000 ether);
        assertEq(uint256(registry.stateOf(node)), uint256(INodeRegistry.State.Underbonded));
    }

    function testNobodyReportsItself() public {
        _bondAsOwner(WORKER, WORKER_BOND);
        address[4] memory own = [address(0), node, OWNER, PAYOUT];
        for (uint256 i = 0; i < own.length; ++i) {
            uint256 supply = token.totalSupply();
            vm.prank(address(slashing));
            uint256 amount = registry.slash(node, WORKER, 1_000, FAULT, own[i]);
            assertEq(token.totalSupply(), supply - amount);
        }
    }

    function testUnbondingStakeIsSlashable() public {
        bondNode(node, WORKER, WORKER_BOND);
        vm.prank(node);
        registry.requestUnbond(node, 9_500 ether);
        vm.prank(address(slashing));
        registry.slash(node, WORKER, 1_000, FAULT, STRANGER);
        assertEq(registry.nodeOf(node).active, 0);
        assertEq(registry.nodeOf(node).unbonding, 9_000 ether);
    }

    function testSlashChecksItsArguments() public {
        bondNode(node, WORKER, WORKER_BOND);
        vm.startPrank(address(slashing));
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.InvalidBps.selector, 0));
        registry.slash(node, WORKER, 0, FAULT, STRANGER);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.InvalidBps.selector, 10_001));
        registry.slash(node, WORKER, 10_001, FAULT, STRANGER);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.WrongRole.selector, WORKER, VALIDATOR));
        registry.slash(node, VALIDATOR, 1, FAULT, STRANGER);
        registry.slash(node, WORKER, 10_000, FAULT, STRANGER);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NothingToSlash.selector, node));
        registry.slash(node, WORKER, 10_000, FAULT, STRANGER);
        vm.stopPrank();
    }

    function testOnlyTheSlasherSlashesAndDisqualifies() public {
        bytes memory refusal = abi.encodeWithSelector(
            IAccessControl.AccessControlUnauthorizedAccount.selector, STRANGER, registry.SLASHER_ROLE()
        );
        vm.startPrank(STRANGER);
        vm.expectRevert(refusal);
        registry.slash(node, WORKER, 1, FAULT, STRANGER);
        vm.expectRevert(refusal);
        registry.disqualify(node, FAULT);
        vm.stopPrank();
    }

    function testDisqualificationIsForEver() public {
        bondNode(node, WORKER, WORKER_BOND);
        vm.expectEmit(address(registry));
        emit INodeRegistry.Disqualified(node, FAULT);
        vm.prank(address(slashing));
        registry.disqualify(node, FAULT);
        assertTrue(!registry.isActive(node, WORKER), "not active");
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NodeIsDisqualified.selector, node));
        vm.prank(address(slashing));
        registry.disqualify(node, FAULT);
        vm.startPrank(node);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NodeIsDisqualified.selector, node));
        registry.bond(node, WORKER, node, WORKER_BOND);
        registry.requestUnbond(node, WORKER_BOND);
        vm.warp(block.timestamp + WORKER_DELAY);
        registry.withdraw(node);
        vm.stopPrank();
        assertEq(uint256(registry.stateOf(node)), uint256(INodeRegistry.State.Disqualified));
    }

    function testParametersAreBounded() public {
        INodeRegistry.Parameters[9] memory wrong;
        for (uint256 i = 0; i < wrong.length; ++i) {
            wrong[i] = registryParameters();
        }
        wrong[0].workerMinimum = 0;
        wrong[1].workerMinimum = 10_000_000 ether + 1;
        wrong[2].validatorMinimum = 0;
        wrong[3].validatorMinimum = 10_000_000 ether + 1;
        wrong[4].workerDelay = 0;
        wrong[5].workerDelay = 90 days + 1;
        wrong[6].validatorDelay = 0;
        wrong[7].validatorDelay = 90 days + 1;
        wrong[8].reporterBps = 3_001;
        for (uint256 i = 0; i < wrong.length; ++i) {
            vm.expectRevert(INodeRegistry.InvalidParameter.selector);
            new NodeRegistry(token, address(this), address(slashing), wrong[i]);
        }
    }

    function testFuzzSlashTakesExactlyItsShare(uint256 active, uint256 unbonding, uint256 bps) public {
        active = bound(active, WORKER_BOND, 10_000_000 ether);
        unbonding = bound(unbonding, 1, active);
        bps = bound(bps, 1, 10_000);
        bondNode(node, WORKER, active);
        vm.prank(node);
        registry.requestUnbond(node, unbonding);
        uint256 supply = token.totalSupply();
        vm.prank(address(slashing));
        uint256 amount = registry.slash(node, WORKER, bps, FAULT, STRANGER);
        assertEq(amount, active * bps / 10_000);
        assertEq(registry.stakeOf(node), active - amount);
        assertEq(token.balanceOf(address(registry)), active - amount);
        assertEq(supply - token.totalSupply() + token.balanceOf(STRANGER), amount);
        assertTrue(token.balanceOf(STRANGER) <= amount * 3 / 10, "reporter gets at most 30 %");
    }

    function _bondAsOwner(INodeRegistry.Role role, uint256 amount) private {
        uint64 expiresAt = uint64(block.timestamp);
        bytes memory signature = _consent(role, OWNER, expiresAt);
        fund(OWNER, address(registry), amount);
        vm.prank(OWNER);
        registry.bondWithConsent(node, role, PAYOUT, amount, expiresAt, signature);
    }

    function _consent(INodeRegistry.Role role, address owner, uint64 expiresAt) private view returns (bytes memory) {
        bytes32 consent =
            keccak256(abi.encode(registry.BOND_CONSENT_TYPEHASH(), node, uint8(role), owner, PAYOUT, expiresAt));
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Inferium"),
                keccak256("1"),
                block.chainid,
                address(registry)
            )
        );
        return compact(NODE_KEY, keccak256(abi.encodePacked(hex"1901", domain, consent)));
    }
}
