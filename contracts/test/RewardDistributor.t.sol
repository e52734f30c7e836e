// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INodeRegistry} from "../src/interfaces/INodeRegistry.sol";
import {IRewardDistributor} from "../src/interfaces/IRewardDistributor.sol";
import {ISettlement} from "../src/interfaces/ISettlement.sol";
import {Leaves} from "../src/libraries/Leaves.sol";
import {Fixture} from "./support/Fixture.sol";

contract RewardDistributorTest is Fixture {
    address internal constant ALICE = address(0xA1);
    address internal constant BOB = address(0xB0);

    function setUp() public {
        deployAll();
        deposit(1_000);
    }

    function testPaysTheDifferenceToWhatWasClaimed() public {
        _settleBalances(300, 100, 400);
        vm.expectEmit(address(distributor));
        emit IRewardDistributor.Claimed(ALICE, ALICE, 300, 300);
        vm.prank(STRANGER);
        distributor.claim(ALICE, 300, _proofOf(BOB, 100));
        _settleBalances(450, 100, 550);
        distributor.claim(ALICE, 450, _proofOf(BOB, 100));
        assertEq(token.balanceOf(ALICE), 450);
        assertEq(distributor.claimedOf(ALICE), 450);
        assertEq(escrow.totalPaid(), 450);
    }

    function testASecondClaimPaysNothing() public {
        _settleBalances(300, 100, 400);
        distributor.claim(ALICE, 300, _proofOf(BOB, 100));
        bytes32[] memory proof = _proofOf(BOB, 100);
        vm.expectRevert(abi.encodeWithSelector(IRewardDistributor.NothingToClaim.selector, ALICE));
        distributor.claim(ALICE, 300, proof);
    }

    function testABalanceThatIsNotInTheRootIsRefused() public {
        _settleBalances(300, 100, 400);
        bytes32[] memory proof = _proofOf(BOB, 100);
        vm.expectRevert(abi.encodeWithSelector(IRewardDistributor.InvalidProof.selector, ALICE));
        distributor.claim(ALICE, 301, proof);
        vm.expectRevert(abi.encodeWithSelector(IRewardDistributor.InvalidProof.selector, STRANGER));
        distributor.claim(STRANGER, 300, proof);
    }

    function testAnOldRootNoLongerPays() public {
        _settleBalances(300, 100, 400);
        bytes32[] memory old = _proofOf(BOB, 100);
        _settleBalances(300, 200, 500);
        vm.expectRevert(abi.encodeWithSelector(IRewardDistributor.InvalidProof.selector, ALICE));
        distributor.claim(ALICE, 300, old);
    }

    function testBeforeTheFirstBatchNothingIsProven() public {
        vm.expectRevert(abi.encodeWithSelector(IRewardDistributor.InvalidProof.selector, ALICE));
        distributor.claim(ALICE, 1, new bytes32[](0));
    }

    function testPaysTheNodesPayoutAddress() public {
        fund(ALICE, address(registry), WORKER_BOND);
        vm.prank(ALICE);
        registry.bond(ALICE, INodeRegistry.Role.Worker, STRANGER, WORKER_BOND);
        _settleBalances(300, 100, 400);
        distributor.claim(ALICE, 300, _proofOf(BOB, 100));
        assertEq(token.balanceOf(STRANGER), 300);
        assertEq(token.balanceOf(ALICE), 0);
    }

    function testClaimManyPassesOverWhatIsClaimed() public {
        _settleBalances(300, 100, 400);
        distributor.claim(ALICE, 300, _proofOf(BOB, 100));
        IRewardDistributor.Claim[] memory claims = new IRewardDistributor.Claim[](2);
        claims[0] = IRewardDistributor.Claim(ALICE, 300, _proofOf(BOB, 100));
        claims[1] = IRewardDistributor.Claim(BOB, 100, _proofOf(ALICE, 300));
        distributor.claimMany(claims);
        assertEq(token.balanceOf(ALICE), 300);
        assertEq(token.balanceOf(BOB), 100);
    }

    function testClaimManyRefusesAWrongProof() public {
        _settleBalances(300, 100, 400);
        IRewardDistributor.Claim[] memory claims = new IRewardDistributor.Claim[](1);
        claims[0] = IRewardDistributor.Claim(ALICE, 300, new bytes32[](0));
        vm.expectRevert(abi.encodeWithSelector(IRewardDistributor.InvalidProof.selector, ALICE));
        distributor.claimMany(claims);
    }

    function testBalancesAboveTheSettledTotalAreNotPaid() public {
        _settleBalances(300, 100, 399);
        distributor.claim(ALICE, 300, _proofOf(BOB, 100));
        bytes32[] memory proof = _proofOf(ALICE, 300);
        vm.expectRevert(abi.encodeWithSelector(IRewardDistributor.ClaimsExceedSettled.selector, 400, 399));
        distributor.claim(BOB, 100, proof);
    }

    function testAPauseStopsClaims() public {
        _settleBalances(300, 100, 400);
        vm.prank(GUARDIAN);
        settlement.pause();
        bytes32[] memory proof = _proofOf(BOB, 100);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.IsPaused.selector, block.timestamp + 72 hours));
        distributor.claim(ALICE, 300, proof);
    }

    function testFuzzClaimsAddUpToTheLastBalance(uint256 first, uint256 second) public {
        first = bound(first, 1, 400);
        second = bound(second, first, 900);
        _settleBalances(first, 100, first + 100);
        distributor.claim(ALICE, first, _proofOf(BOB, 100));
        _settleBalances(second, 100, second + 100);
        if (second > first) distributor.claim(ALICE, second, _proofOf(BOB, 100));
        assertEq(token.balanceOf(ALICE), second);
    }

    function _settleBalances(uint256 alice, uint256 bob, uint256 total) private {
        bytes32 a = Leaves.hashBalance(ALICE, alice);
        bytes32 b = Leaves.hashBalance(BOB, bob);
        settle(nextHeader(a < b ? keccak256(bytes.concat(a, b)) : keccak256(bytes.concat(b, a)), total));
    }

    function _proofOf(address sibling, uint256 balance) private pure returns (bytes32[] memory proof) {
        proof = new bytes32[](1);
        proof[0] = Leaves.hashBalance(sibling, balance);
    }
}
