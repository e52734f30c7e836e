// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";

import {InferiumGovernor} from "../src/InferiumGovernor.sol";
import {INodeRegistry} from "../src/interfaces/INodeRegistry.sol";
import {ISettlement} from "../src/interfaces/ISettlement.sol";
import {Fixture} from "./support/Fixture.sol";

/// @notice From a proposal to a changed parameter. A holder proposes, one that has bonded carries the vote.
contract GovernorTest is Fixture {
    uint48 internal constant VOTING_DELAY = 1 days;
    uint32 internal constant VOTING_PERIOD = 5 days;
    uint256 internal constant TIMELOCK_DELAY = 2 days;
    uint256 internal constant THRESHOLD = 1_000 ether;
    address internal constant HOLDER = address(0x40);
    address internal constant STAKER = address(0x57A);
    InferiumGovernor internal governor;
    address internal timelock;

    function setUp() public {
        deployAll();
        address[] memory proposers = new address[](1);
        proposers[0] = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 1);
        timelock = deploy("InferiumTimelock", abi.encode(TIMELOCK_DELAY, proposers, new address[](1)));
        governor = _deployGovernor(VOTING_DELAY, VOTING_PERIOD, THRESHOLD, 400);
        registry.grantRole(0, timelock);
        settlement.grantRole(0, timelock);
        settlement.renounceRole(0, address(this));
        // A quorum is 4,000 of 100,000: the holder alone has 1,000, the staker 5,000 of bonded tokens.
        token.mint(HOLDER, THRESHOLD);
        vm.prank(HOLDER);
        token.delegate(HOLDER);
        registry.setParameters(INodeRegistry.Parameters(1, 1, 1, 1, 0));
        bondNode(STAKER, INodeRegistry.Role.Worker, 5_000 ether);
        token.mint(address(0xFEE), 94_000 ether);
        vm.warp(block.timestamp + 1);
    }

    function testAParameterChangesByVoteAndTimelock() public {
        bytes memory change = abi.encodeCall(registry.setParameters, (registryParameters()));
        uint256 id = _propose(address(registry), change);
        _vote(id, HOLDER, 1);
        _vote(id, STAKER, 1);
        vm.warp(block.timestamp + VOTING_PERIOD + 1);
        _queue(address(registry), change);
        vm.expectPartialRevert(bytes4(keccak256("TimelockUnexpectedOperationState(bytes32,bytes32)")));
        this.execute(address(registry), change);
        vm.warp(block.timestamp + TIMELOCK_DELAY);
        vm.prank(STRANGER);
        this.execute(address(registry), change);
        assertEq(registry.minimumOf(INodeRegistry.Role.Worker), WORKER_BOND);
        assertEq(uint256(governor.state(id)), uint256(IGovernor.ProposalState.Executed));
    }

    function testStakersCountTowardsTheQuorum() public {
        bytes memory change = abi.encodeCall(registry.setParameters, (registryParameters()));
        uint256 id = _propose(address(registry), change);
        assertEq(governor.quorum(block.timestamp - 1), 4_000 ether);
        _vote(id, HOLDER, 1);
        vm.warp(block.timestamp + VOTING_PERIOD + 1);
        assertEq(uint256(governor.state(id)), uint256(IGovernor.ProposalState.Defeated));
    }

    function testStakersVoteAgainst() public {
        uint256 id = _propose(address(registry), abi.encodeCall(registry.setParameters, (registryParameters())));
        _vote(id, HOLDER, 1);
        _vote(id, STAKER, 0);
        (uint256 against, uint256 inFavour,) = governor.proposalVotes(id);
        assertEq(against, 5_000 ether);
        assertEq(inFavour, 1_000 ether);
        vm.warp(block.timestamp + VOTING_PERIOD + 1);
        assertEq(uint256(governor.state(id)), uint256(IGovernor.ProposalState.Defeated));
    }

    function testAVoteCannotLeaveTheBounds() public {
        bytes memory change = abi.encodeCall(settlement.setChallengeSeconds, (1));
        uint256 id = _propose(address(settlement), change);
        _vote(id, STAKER, 1);
        vm.warp(block.timestamp + VOTING_PERIOD + 1);
        _queue(address(settlement), change);
        vm.warp(block.timestamp + TIMELOCK_DELAY);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.InvalidChallengeSeconds.selector, 1));
        this.execute(address(settlement), change);
    }

    function testNobodyElseIsTheAdmin() public {
        assertTrue(!settlement.hasRole(0, address(this)), "renounced");
        vm.expectRevert(
            abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, STAKER, bytes32(0))
        );
        vm.prank(STAKER);
        settlement.setChallengeSeconds(2 hours);
    }

    function testBelowTheThresholdNobodyProposes() public {
        vm.expectRevert(
            abi.encodeWithSelector(IGovernor.GovernorInsufficientProposerVotes.selector, STRANGER, 0, THRESHOLD)
        );
        vm.prank(STRANGER);
        governor.propose(new address[](1), new uint256[](1), new bytes[](1), "nothing");
    }

    function testAProposerCancelsBeforeTheVote() public {
        bytes memory change = abi.encodeCall(registry.setParameters, (registryParameters()));
        (address[] memory targets, bytes[] memory calls) = _action(address(registry), change);
        vm.startPrank(HOLDER);
        uint256 id = governor.propose(targets, new uint256[](1), calls, "change");
        governor.cancel(targets, new uint256[](1), calls, keccak256("change"));
        vm.stopPrank();
        assertEq(uint256(governor.state(id)), uint256(IGovernor.ProposalState.Canceled));
    }

    function testItsOwnSettingsAreBounded() public {
        _expectInvalidSetting(abi.encodeCall(governor.setVotingDelay, (30 days + 1)), 30 days + 1);
        _expectInvalidSetting(abi.encodeCall(governor.setVotingPeriod, (30 days + 1)), 30 days + 1);
        _expectInvalidSetting(abi.encodeCall(governor.setVotingPeriod, (1 days - 1)), 1 days - 1);
        _expectInvalidSetting(abi.encodeCall(governor.setProposalThreshold, (2_500_000 ether + 1)), 2_500_000 ether + 1);
        _relay(abi.encodeCall(governor.setVotingDelay, (30 days)));
        _relay(abi.encodeCall(governor.setVotingPeriod, (30 days)));
        _relay(abi.encodeCall(governor.setVotingPeriod, (1 days)));
        _relay(abi.encodeCall(governor.setProposalThreshold, (2_500_000 ether)));
        assertEq(governor.votingDelay(), 30 days);
        assertEq(governor.votingPeriod(), 1 days);
        assertEq(governor.proposalThreshold(), 2_500_000 ether);
    }

    function testATrialsPeriodMayBeSeconds() public {
        InferiumGovernor trial = _deployGovernor(0, 10, 0, 5_000);
        assertEq(trial.minVotingPeriod(), 10);
        assertEq(governor.minVotingPeriod(), 1 days);
    }

    function testTheQuorumIsBounded() public {
        uint256[2] memory wrong = [uint256(0), 5_001];
        for (uint256 i = 0; i < wrong.length; ++i) {
            assertNotDeployable(
                "InferiumGovernor",
                abi.encode(
                    token,
                    registry,
                    timelock,
                    InferiumGovernor.Settings(VOTING_DELAY, VOTING_PERIOD, THRESHOLD, wrong[i])
                ),
                abi.encodeWithSelector(InferiumGovernor.InvalidQuorum.selector, wrong[i])
            );
        }
    }

    function testTimeIsInSeconds() public view {
        assertEq(governor.clock(), block.timestamp);
        assertEq(keccak256(bytes(governor.CLOCK_MODE())), keccak256("mode=timestamp"));
        assertTrue(governor.proposalNeedsQueuing(0), "by the timelock");
    }

    function execute(address target, bytes calldata change) external {
        (address[] memory targets, bytes[] memory calls) = _action(target, change);
        governor.execute(targets, new uint256[](1), calls, keccak256("change"));
    }

    function _expectInvalidSetting(bytes memory call, uint256 given) private {
        vm.expectRevert(abi.encodeWithSelector(InferiumGovernor.InvalidSetting.selector, given));
        this.relay(call);
    }

    function relay(bytes calldata call) external {
        _relay(call);
    }

    /// @dev A proposal about the governor itself, up to its execution.
    function _relay(bytes memory call) private {
        (address[] memory targets, bytes[] memory calls) = _action(address(governor), call);
        vm.prank(HOLDER);
        string memory description = string(call);
        uint256 id = governor.propose(targets, new uint256[](1), calls, description);
        vm.warp(block.timestamp + governor.votingDelay() + 1);
        _vote(id, STAKER, 1);
        vm.warp(block.timestamp + governor.votingPeriod() + 1);
        governor.queue(targets, new uint256[](1), calls, keccak256(bytes(description)));
        vm.warp(block.timestamp + TIMELOCK_DELAY);
        governor.execute(targets, new uint256[](1), calls, keccak256(bytes(description)));
    }

    function _propose(address target, bytes memory change) private returns (uint256 id) {
        (address[] memory targets, bytes[] memory calls) = _action(target, change);
        vm.prank(HOLDER);
        id = governor.propose(targets, new uint256[](1), calls, "change");
        vm.warp(block.timestamp + VOTING_DELAY + 1);
    }

    function _queue(address target, bytes memory change) private {
        (address[] memory targets, bytes[] memory calls) = _action(target, change);
        governor.queue(targets, new uint256[](1), calls, keccak256("change"));
    }

    function _vote(uint256 id, address voter, uint8 support) private {
        vm.prank(voter);
        governor.castVote(id, support);
    }

    function _action(address target, bytes memory call)
        private
        pure
        returns (address[] memory targets, bytes[] memory calls)
    {
        (targets, calls) = (new address[](1), new bytes[](1));
        (targets[0], calls[0]) = (target, call);
    }

    function _deployGovernor(uint48 delay, uint32 period, uint256 threshold, uint256 quorumBps)
        private
        returns (InferiumGovernor)
    {
        bytes memory settings = abi.encode(
            token, registry, timelock, InferiumGovernor.Settings(delay, period, threshold, quorumBps)
        );
        return InferiumGovernor(payable(deploy("InferiumGovernor", settings)));
    }
}
