// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {Proceeds} from "./Proceeds.sol";
import {IAgentRevenue} from "./interfaces/IAgentRevenue.sol";
import {INodeRegistry} from "./interfaces/INodeRegistry.sol";
import {IValidatorSets} from "./interfaces/IValidatorSets.sol";

/// @title AgentRevenue, as IAgentRevenue documents it
contract AgentRevenue is IAgentRevenue, Proceeds, AccessControl {
    using SafeERC20 for IERC20;

    uint256 private constant BPS = 10_000;
    uint256 public constant MAX_FEE_BPS = 3_000;

    INodeRegistry public immutable registry;
    IValidatorSets public immutable validatorSets;

    Split private _split;
    address public treasury;
    mapping(bytes32 agentId => Agent) private _agents;
    mapping(uint64 epoch => uint256) public potOf;
    mapping(uint64 epoch => mapping(address validator => uint256)) private _sharedOf;

    constructor(
        IERC20 token_,
        INodeRegistry registry_,
        IValidatorSets validatorSets_,
        address admin,
        address treasury_,
        Split memory split_
    ) Proceeds(token_) {
        registry = registry_;
        validatorSets = validatorSets_;
        _setSplit(split_);
        _setTreasury(treasury_);
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
    }

    /// @inheritdoc IAgentRevenue
    function setSplit(Split calldata split_) external onlyRole(DEFAULT_ADMIN_ROLE) {
        _setSplit(split_);
    }

    /// @inheritdoc IAgentRevenue
    function setTreasury(address treasury_) external onlyRole(DEFAULT_ADMIN_ROLE) {
        _setTreasury(treasury_);
    }

    /// @inheritdoc IAgentRevenue
    function register(bytes32 salt, address host) external returns (bytes32 agentId) {
        agentId = keccak256(abi.encode(msg.sender, salt));
        if (_agents[agentId].creator != address(0)) revert AgentExists(agentId);
        if (host == address(0)) revert InvalidHost();
        _agents[agentId] = Agent(msg.sender, host);
        emit AgentRegistered(agentId, msg.sender, host);
    }

    /// @inheritdoc IAgentRevenue
    function setHost(bytes32 agentId, address host) external {
        address creator = _requireAgent(agentId).creator;
        if (msg.sender != creator) revert NotCreator(msg.sender, creator);
        if (host == address(0)) revert InvalidHost();
        _agents[agentId].host = host;
        emit HostChanged(agentId, host);
    }

    /// @inheritdoc IAgentRevenue
    function pay(bytes32 agentId, uint256 amount) external {
        Agent memory agent = _requireAgent(agentId);
        if (amount == 0) revert InvalidAmount();
        Split memory shares = _split;
        uint64 epoch = validatorSets.epoch();
        uint256 toHost = amount * shares.hostBps / BPS;
        uint256 toValidators = amount * shares.validatorsBps / BPS;
        uint256 toTreasury = amount * shares.treasuryBps / BPS;
        _owe(agent.host, toHost);
        _owe(treasury, toTreasury);
        _owe(agent.creator, amount - toHost - toValidators - toTreasury);
        potOf[epoch] += toValidators;
        emit Paid(agentId, msg.sender, amount, epoch);
        token.safeTransferFrom(msg.sender, address(this), amount);
    }

    /// @inheritdoc IAgentRevenue
    function sharePot(uint64 epoch, address validator) external {
        if (!validatorSets.isMember(epoch, validator)) revert NotAValidator(validator, epoch);
        uint256 share = potOf[epoch] / validatorSets.validatorsOf(epoch).length;
        uint256 amount = share - _sharedOf[epoch][validator];
        if (amount == 0) revert NothingInPot(epoch);
        _sharedOf[epoch][validator] = share;
        _owe(registry.payoutOf(validator), amount);
        emit PotShared(epoch, validator, amount);
    }

    /// @inheritdoc IAgentRevenue
    function agentOf(bytes32 agentId) external view returns (Agent memory) {
        return _agents[agentId];
    }

    /// @inheritdoc IAgentRevenue
    function split() external view returns (Split memory) {
        return _split;
    }

    function _setSplit(Split memory s) private {
        uint256 sum = uint256(s.creatorBps) + s.hostBps + s.validatorsBps + s.treasuryBps;
        if (sum != BPS || s.validatorsBps > MAX_FEE_BPS || s.treasuryBps > MAX_FEE_BPS) revert InvalidSplit();
        _split = s;
        emit SplitChanged(s);
    }

    function _setTreasury(address treasury_) private {
        if (treasury_ == address(0)) revert InvalidTreasury();
        treasury = treasury_;
        emit TreasuryChanged(treasury_);
    }

    function _requireAgent(bytes32 agentId) private view returns (Agent memory agent) {
        agent = _agents[agentId];
        if (agent.creator == address(0)) revert UnknownAgent(agentId);
    }
}
