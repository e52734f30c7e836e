// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INodeRegistry} from "../src/interfaces/INodeRegistry.sol";
import {IRewardDistributor} from "../src/interfaces/IRewardDistributor.sol";
import {ISettlement} from "../src/interfaces/ISettlement.sol";
import {Leaves} from "../src/libraries/Leaves.sol";
import {TypedData} from "../src/libraries/TypedData.sol";
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
        _claim(ALICE, 300, _proofOf(BOB, 100));
        _settleBalances(450, 100, 550);
        _claim(ALICE, 450, _proofOf(BOB, 100));
        assertEq(token.balanceOf(ALICE), 450);
        assertEq(distributor.claimedOf(ALICE), 450);
        assertEq(escrow.totalPaid(), 450);
    }

    function testASecondClaimPaysNothing() public {
        _settleBalances(300, 100, 400);
        _claim(ALICE, 300, _proofOf(BOB, 100));
        bytes32[] memory proof = _proofOf(BOB, 100);
        vm.expectRevert(abi.encodeWithSelector(IRewardDistributor.NothingToClaim.selector, ALICE));
        _claim(ALICE, 300, proof);
    }

    function testABalanceThatIsNotInTheRootIsRefused() public {
        _settleBalances(300, 100, 400);
        bytes32[] memory proof = _proofOf(BOB, 100);
        vm.expectRevert(abi.encodeWithSelector(IRewardDistributor.InvalidProof.selector, ALICE));
        _claim(ALICE, 301, proof);
        vm.expectRevert(abi.encodeWithSelector(IRewardDistributor.InvalidProof.selector, STRANGER));
        _claim(STRANGER, 300, proof);
    }

    function testAnOldRootNoLongerPays() public {
        _settleBalances(300, 100, 400);
        bytes32[] memory old = _proofOf(BOB, 100);
        _settleBalances(300, 200, 500);
        vm.expectRevert(abi.encodeWithSelector(IRewardDistributor.InvalidProof.selector, ALICE));
        _claim(ALICE, 300, old);
    }

    function testBeforeTheFirstBatchNothingIsFinal() public {
        TypedData.BatchHeader memory header;
        bytes32 given = settlement.hashHeader(header);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.HeaderNotFinal.selector, given, bytes32(0)));
        distributor.claim(header, IRewardDistributor.Claim(ALICE, 1, new bytes32[](0)));
    }

    function testABatchPaysOnceItIsFinal() public {
        _settleBalances(300, 100, 400);
        vm.warp(block.timestamp - 1);
        bytes32 digest = settlement.hashHeader(settled);
        IRewardDistributor.Claim[] memory claims = new IRewardDistributor.Claim[](1);
        claims[0] = IRewardDistributor.Claim(ALICE, 300, _proofOf(BOB, 100));
        bytes memory refusal = abi.encodeWithSelector(ISettlement.HeaderNotFinal.selector, digest, bytes32(0));
        vm.expectRevert(refusal);
        distributor.claim(settled, claims[0]);
        vm.expectRevert(refusal);
        distributor.claimMany(settled, claims);
        vm.warp(block.timestamp + 1);
        distributor.claim(settled, claims[0]);
        assertEq(token.balanceOf(ALICE), 300);
    }

    function testThePayoutAddressSendsAClaimElsewhereOnce() public {
        _settleBalances(300, 100, 400);
        uint256 key = 0xA11CE;
        _bondWithPayout(vm.addr(key));
        IRewardDistributor.Claim memory entry = IRewardDistributor.Claim(ALICE, 300, _proofOf(BOB, 100));
        IRewardDistributor.Redirect memory redirect = _redirect(key, ALICE, STRANGER, 0);
        vm.expectEmit(address(distributor));
        emit IRewardDistributor.Claimed(ALICE, STRANGER, 300, 300);
        distributor.claimTo(settled, entry, redirect);
        assertEq(token.balanceOf(STRANGER), 300);
        assertEq(distributor.redirectNonceOf(vm.addr(key)), 1);
        _settleBalances(400, 100, 500);
        entry.cumulativeWei = 400;
        vm.expectPartialRevert(IRewardDistributor.NotSignedByPayout.selector);
        distributor.claimTo(settled, entry, redirect);
        redirect = _redirect(key, ALICE, STRANGER, 1);
        distributor.claimTo(settled, entry, redirect);
        redirect = _redirect(key, ALICE, STRANGER, 2);
        vm.expectRevert(abi.encodeWithSelector(IRewardDistributor.NothingToClaim.selector, ALICE));
        distributor.claimTo(settled, entry, redirect);
    }

    function testARedirectChecksItsSignerItsEndAndItsTarget() public {
        _settleBalances(300, 100, 400);
        uint256 key = 0xA11CE;
        _bondWithPayout(vm.addr(key));
        IRewardDistributor.Claim memory entry = IRewardDistributor.Claim(ALICE, 300, _proofOf(BOB, 100));
        IRewardDistributor.Redirect memory redirect = _redirect(0xBAD, ALICE, STRANGER, 0);
        vm.expectRevert(
            abi.encodeWithSelector(IRewardDistributor.NotSignedByPayout.selector, vm.addr(0xBAD), vm.addr(key))
        );
        distributor.claimTo(settled, entry, redirect);
        redirect = _redirect(key, ALICE, address(0), 0);
        vm.expectRevert(abi.encodeWithSelector(IRewardDistributor.InvalidRecipient.selector));
        distributor.claimTo(settled, entry, redirect);
        redirect = _redirect(key, ALICE, STRANGER, 0);
        vm.warp(redirect.expiresAt + 1);
        vm.expectRevert(abi.encodeWithSelector(IRewardDistributor.RedirectExpired.selector, redirect.expiresAt));
        distributor.claimTo(settled, entry, redirect);
        vm.warp(redirect.expiresAt);
        distributor.claimTo(settled, entry, redirect);
        assertEq(token.balanceOf(STRANGER), 300);
    }

    function testPaysTheNodesPayoutAddress() public {
        fund(ALICE, address(registry), WORKER_BOND);
        vm.prank(ALICE);
        registry.bond(ALICE, INodeRegistry.Role.Worker, STRANGER, WORKER_BOND);
        _settleBalances(300, 100, 400);
        _claim(ALICE, 300, _proofOf(BOB, 100));
        assertEq(token.balanceOf(STRANGER), 300);
        assertEq(token.balanceOf(ALICE), 0);
    }

    function testClaimManyPassesOverWhatIsClaimed() public {
        _settleBalances(300, 100, 400);
        _claim(ALICE, 300, _proofOf(BOB, 100));
        IRewardDistributor.Claim[] memory claims = new IRewardDistributor.Claim[](2);
        claims[0] = IRewardDistributor.Claim(ALICE, 300, _proofOf(BOB, 100));
        claims[1] = IRewardDistributor.Claim(BOB, 100, _proofOf(ALICE, 300));
        distributor.claimMany(settled, claims);
        assertEq(token.balanceOf(ALICE), 300);
        assertEq(token.balanceOf(BOB), 100);
    }

    function testClaimManyRefusesAWrongProof() public {
        _settleBalances(300, 100, 400);
        IRewardDistributor.Claim[] memory claims = new IRewardDistributor.Claim[](1);
        claims[0] = IRewardDistributor.Claim(ALICE, 300, new bytes32[](0));
        vm.expectRevert(abi.encodeWithSelector(IRewardDistributor.InvalidProof.selector, ALICE));
        distributor.claimMany(settled, claims);
    }

    function testBalancesAboveTheSettledTotalAreNotPaid() public {
        _settleBalances(300, 100, 399);
        _claim(ALICE, 300, _proofOf(BOB, 100));
        bytes32[] memory proof = _proofOf(ALICE, 300);
        vm.expectRevert(abi.encodeWithSelector(IRewardDistributor.ClaimsExceedSettled.selector, 400, 399));
        _claim(BOB, 100, proof);
    }

    function testAPauseStopsClaims() public {
        _settleBalances(300, 100, 400);
        vm.prank(GUARDIAN);
        settlement.pause();
        bytes32[] memory proof = _proofOf(BOB, 100);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.IsPaused.selector, block.timestamp + 72 hours));
        _claim(ALICE, 300, proof);
    }

    function testFuzzClaimsAddUpToTheLastBalance(uint256 first, uint256 second) public {
        first = bound(first, 1, 400);
        second = bound(second, first, 900);
        _settleBalances(first, 100, first + 100);
        _claim(ALICE, first, _proofOf(BOB, 100));
        _settleBalances(second, 100, second + 100);
        if (second > first) _claim(ALICE, second, _proofOf(BOB, 100));
        assertEq(token.balanceOf(ALICE), second);
    }

    function _claim(address account, uint256 cumulativeWei, bytes32[] memory proof) private {
        distributor.claim(settled, IRewardDistributor.Claim(account, cumulativeWei, proof));
    }

    function _bondWithPayout(address payout) private {
        fund(ALICE, address(registry), WORKER_BOND);
        vm.prank(ALICE);
        registry.bond(ALICE, INodeRegistry.Role.Worker, payout, WORKER_BOND);
    }

    function _redirect(uint256 key, address account, address to, uint256 nonce)
        private
        view
        returns (IRewardDistributor.Redirect memory redirect)
    {
        redirect.to = to;
        redirect.expiresAt = uint64(block.timestamp + 30 days);
        bytes32 message = keccak256(abi.encode(distributor.CLAIM_TO_TYPEHASH(), account, to, nonce, redirect.expiresAt));
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Inferium"),
                keccak256("1"),
                block.chainid,
                address(distributor)
            )
        );
        redirect.signature = compact(key, TypedData.digest(domain, message));
    }

    function _settleBalances(uint256 alice, uint256 bob, uint256 total) private {
        bytes32 a = Leaves.hashBalance(ALICE, alice);
        bytes32 b = Leaves.hashBalance(BOB, bob);
        settle(nextHeader(a < b ? keccak256(bytes.concat(a, b)) : keccak256(bytes.concat(b, a)), total));
        vm.warp(block.timestamp + CHALLENGE);
    }

    function _proofOf(address sibling, uint256 balance) private pure returns (bytes32[] memory proof) {
        proof = new bytes32[](1);
        proof[0] = Leaves.hashBalance(sibling, balance);
    }
}
