// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";

import {IAgentRevenue} from "../src/interfaces/IAgentRevenue.sol";
import {INodeRegistry} from "../src/interfaces/INodeRegistry.sol";
import {Fixture} from "./support/Fixture.sol";

contract AgentRevenueTest is Fixture {
    address internal constant CREATOR = address(0xC1);
    address internal constant HOST = address(0xB057);
    bytes32 internal agent;

    function setUp() public {
        deployAll();
        vm.prank(CREATOR);
        agent = revenue.register("salt", HOST);
    }

    function testRegistersAnAgentOfTheCaller() public {
        bytes32 id = keccak256(abi.encode(STRANGER, bytes32("salt")));
        vm.expectEmit(address(revenue));
        emit IAgentRevenue.AgentRegistered(id, STRANGER, HOST);
        vm.prank(STRANGER);
        assertEq(revenue.register("salt", HOST), id);
        assertEq(revenue.agentOf(id).creator, STRANGER);
        assertEq(revenue.agentOf(id).host, HOST);
        vm.startPrank(STRANGER);
        vm.expectRevert(abi.encodeWithSelector(IAgentRevenue.AgentExists.selector, id));
        revenue.register("salt", HOST);
        vm.expectRevert(IAgentRevenue.InvalidHost.selector);
        revenue.register("other", address(0));
        vm.stopPrank();
    }

    function testTheCreatorMovesItsAgent() public {
        vm.expectEmit(address(revenue));
        emit IAgentRevenue.HostChanged(agent, STRANGER);
        vm.prank(CREATOR);
        revenue.setHost(agent, STRANGER);
        assertEq(revenue.agentOf(agent).host, STRANGER);
        vm.expectRevert(IAgentRevenue.InvalidHost.selector);
        vm.prank(CREATOR);
        revenue.setHost(agent, address(0));
        vm.expectRevert(abi.encodeWithSelector(IAgentRevenue.NotCreator.selector, HOST, CREATOR));
        vm.prank(HOST);
        revenue.setHost(agent, HOST);
        vm.expectRevert(abi.encodeWithSelector(IAgentRevenue.UnknownAgent.selector, bytes32("none")));
        revenue.setHost("none", HOST);
    }

    function testAPaymentIsSplit() public {
        fund(REQUESTER, address(revenue), 1_000);
        vm.expectEmit(address(revenue));
        emit IAgentRevenue.Paid(agent, REQUESTER, 1_000, 1);
        vm.prank(REQUESTER);
        revenue.pay(agent, 1_000);
        assertEq(revenue.owedTo(CREATOR), 600);
        assertEq(revenue.owedTo(HOST), 250);
        assertEq(revenue.owedTo(TREASURY), 50);
        assertEq(revenue.potOf(1), 100);
        assertEq(token.balanceOf(address(revenue)), 1_000);
        revenue.collect(HOST);
        assertEq(token.balanceOf(HOST), 250);
    }

    function testNothingAndUnknownAgentsAreRefused() public {
        vm.expectRevert(IAgentRevenue.InvalidAmount.selector);
        revenue.pay(agent, 0);
        vm.expectRevert(abi.encodeWithSelector(IAgentRevenue.UnknownAgent.selector, bytes32("none")));
        revenue.pay("none", 1);
    }

    function testValidatorsShareThePotEqually() public {
        _pay(7_000);
        _bondWithPayout();
        vm.expectEmit(address(revenue));
        emit IAgentRevenue.PotShared(1, validators[0], 100);
        revenue.sharePot(1, validators[0]);
        assertEq(revenue.owedTo(STRANGER), 100);
        vm.expectRevert(abi.encodeWithSelector(IAgentRevenue.NothingInPot.selector, 1));
        revenue.sharePot(1, validators[0]);
        _pay(7_000);
        revenue.sharePot(1, validators[0]);
        assertEq(revenue.owedTo(STRANGER), 200);
        revenue.sharePot(1, validators[1]);
        assertEq(revenue.owedTo(validators[1]), 200);
    }

    function testEachEpochHasItsPot() public {
        _pay(7_000);
        vm.prank(address(settlement));
        sets.renew();
        _pay(14_000);
        assertEq(revenue.potOf(1), 700);
        assertEq(revenue.potOf(2), 1_400);
        revenue.sharePot(2, validators[1]);
        assertEq(revenue.owedTo(validators[1]), 200);
        vm.expectRevert(abi.encodeWithSelector(IAgentRevenue.NotAValidator.selector, STRANGER, 1));
        revenue.sharePot(1, STRANGER);
    }

    function testFuzzASplitLosesNothing(uint256 amount) public {
        amount = bound(amount, 1, 1_000_000 ether);
        _pay(amount);
        uint256 toCreator = revenue.owedTo(CREATOR);
        assertEq(toCreator + revenue.owedTo(HOST) + revenue.owedTo(TREASURY) + revenue.potOf(1), amount);
        assertTrue(toCreator >= amount * 6 / 10 && toCreator - amount * 6 / 10 <= 3, "dust of three at most");
        uint256 shared = 0;
        for (uint256 i = 0; i < VALIDATORS; ++i) {
            if (revenue.potOf(1) < VALIDATORS) break;
            revenue.sharePot(1, validators[i]);
            shared += revenue.owedTo(validators[i]);
        }
        assertTrue(shared <= revenue.potOf(1), "no more than the pot");
        assertTrue(revenue.potOf(1) - shared < VALIDATORS, "dust of six at most");
    }

    function testTheSplitIsGovernedWithinBounds() public {
        IAgentRevenue.Split memory given = IAgentRevenue.Split(4_000, 0, 3_000, 3_000);
        vm.expectEmit(address(revenue));
        emit IAgentRevenue.SplitChanged(given);
        revenue.setSplit(given);
        assertEq(keccak256(abi.encode(revenue.split())), keccak256(abi.encode(given)));
        _expectInvalid(IAgentRevenue.Split(6_999, 0, 3_001, 0));
        _expectInvalid(IAgentRevenue.Split(6_999, 0, 0, 3_001));
        _expectInvalid(IAgentRevenue.Split(6_000, 2_500, 1_000, 501));
        _expectInvalid(IAgentRevenue.Split(6_000, 2_500, 1_000, 499));
    }

    function testTheTreasuryIsGoverned() public {
        vm.expectEmit(address(revenue));
        emit IAgentRevenue.TreasuryChanged(STRANGER);
        revenue.setTreasury(STRANGER);
        assertEq(revenue.treasury(), STRANGER);
        vm.expectRevert(IAgentRevenue.InvalidTreasury.selector);
        revenue.setTreasury(address(0));
    }

    function testOnlyGovernanceSetsThem() public {
        bytes memory refusal =
            abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, STRANGER, bytes32(0));
        vm.startPrank(STRANGER);
        vm.expectRevert(refusal);
        revenue.setTreasury(STRANGER);
        vm.expectRevert(refusal);
        revenue.setSplit(agentSplit());
        vm.stopPrank();
    }

    function _expectInvalid(IAgentRevenue.Split memory given) private {
        vm.expectRevert(IAgentRevenue.InvalidSplit.selector);
        revenue.setSplit(given);
    }

    function _pay(uint256 amount) private {
        fund(REQUESTER, address(revenue), amount);
        vm.prank(REQUESTER);
        revenue.pay(agent, amount);
    }

    function _bondWithPayout() private {
        fund(validators[0], address(registry), VALIDATOR_BOND);
        vm.prank(validators[0]);
        registry.bond(validators[0], INodeRegistry.Role.Validator, STRANGER, VALIDATOR_BOND);
    }
}
