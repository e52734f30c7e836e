// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Governor} from "@openzeppelin/contracts/governance/Governor.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {GovernorCountingSimple} from "@openzeppelin/contracts/governance/extensions/GovernorCountingSimple.sol";
import {GovernorSettings} from "@openzeppelin/contracts/governance/extensions/GovernorSettings.sol";
import {GovernorTimelockControl} from "@openzeppelin/contracts/governance/extensions/GovernorTimelockControl.sol";
import {IVotes} from "@openzeppelin/contracts/governance/utils/IVotes.sol";

/// @title InferiumGovernor
/// @notice Changes parameters through a timelock, which is the admin of every contract. Who holds IFR votes with it (once
/// delegated, as ERC20Votes has it), and who has bonded IFR votes with its stake: nobody gives up a vote by working or
/// validating. A quorum is a share of the token's supply, in which bonded tokens are counted once.
contract InferiumGovernor is Governor, GovernorSettings, GovernorCountingSimple, GovernorTimelockControl {
    uint256 private constant BPS = 10_000;
    uint256 private constant MAX_SECONDS = 30 days;
    uint256 private constant MAX_PROPOSAL_THRESHOLD = 2_500_000 ether;

    /// @notice Governance may change all but the quorum, within these bounds.
    /// @param votingDelay seconds, at most 30 days
    /// @param votingPeriod seconds, at most 30 days and at least a day; less where it began with less
    /// @param proposalThreshold votes that a proposer must have, base units, at most 2,500,000 IFR
    /// @param quorumBps share of the supply, 1 to 5,000
    struct Settings {
        uint48 votingDelay;
        uint32 votingPeriod;
        uint256 proposalThreshold;
        uint256 quorumBps;
    }

    error InvalidQuorum(uint256 bps);
    error InvalidSetting(uint256 given);

    IVotes public immutable token;
    IVotes public immutable stakes;
    uint256 public immutable quorumBps;
    /// @dev Zero while the constructors of the bases run.
    uint32 public immutable minVotingPeriod;

    constructor(IVotes token_, IVotes stakes_, TimelockController timelock_, Settings memory settings)
        Governor("Inferium")
        GovernorSettings(settings.votingDelay, settings.votingPeriod, settings.proposalThreshold)
        GovernorTimelockControl(timelock_)
    {
        if (settings.quorumBps == 0 || settings.quorumBps > 5_000) revert InvalidQuorum(settings.quorumBps);
        token = token_;
        stakes = stakes_;
        quorumBps = settings.quorumBps;
        minVotingPeriod = settings.votingPeriod < 1 days ? settings.votingPeriod : 1 days;
    }

    function quorum(uint256 timepoint) public view override returns (uint256) {
        return token.getPastTotalSupply(timepoint) * quorumBps / BPS;
    }

    function clock() public view override returns (uint48) {
        return uint48(block.timestamp);
    }

    // solhint-disable-next-line func-name-mixedcase
    function CLOCK_MODE() public pure override returns (string memory) {
        return "mode=timestamp";
    }

    function state(uint256 proposalId) public view override(Governor, GovernorTimelockControl) returns (ProposalState) {
        return super.state(proposalId);
    }

    function proposalNeedsQueuing(uint256 proposalId)
        public
        view
        override(Governor, GovernorTimelockControl)
        returns (bool)
    {
        return super.proposalNeedsQueuing(proposalId);
    }

    function proposalThreshold() public view override(Governor, GovernorSettings) returns (uint256) {
        return super.proposalThreshold();
    }

    function _setVotingDelay(uint48 seconds_) internal override {
        if (seconds_ > MAX_SECONDS) revert InvalidSetting(seconds_);
        super._setVotingDelay(seconds_);
    }

    function _setVotingPeriod(uint32 seconds_) internal override {
        if (seconds_ < minVotingPeriod || seconds_ > MAX_SECONDS) revert InvalidSetting(seconds_);
        super._setVotingPeriod(seconds_);
    }

    function _setProposalThreshold(uint256 votes) internal override {
        if (votes > MAX_PROPOSAL_THRESHOLD) revert InvalidSetting(votes);
        super._setProposalThreshold(votes);
    }

    function _getVotes(address account, uint256 timepoint, bytes memory) internal view override returns (uint256) {
        return token.getPastVotes(account, timepoint) + stakes.getPastVotes(account, timepoint);
    }

    function _queueOperations(
        uint256 proposalId,
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) returns (uint48) {
        return super._queueOperations(proposalId, targets, values, calldatas, descriptionHash);
    }

    function _executeOperations(
        uint256 proposalId,
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) {
        super._executeOperations(proposalId, targets, values, calldatas, descriptionHash);
    }

    function _cancel(
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) returns (uint256) {
        return super._cancel(targets, values, calldatas, descriptionHash);
    }

    function _executor() internal view override(Governor, GovernorTimelockControl) returns (address) {
        return super._executor();
    }
}
