// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {Votes} from "@openzeppelin/contracts/governance/utils/Votes.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {Proceeds} from "./Proceeds.sol";
import {INodeRegistry} from "./interfaces/INodeRegistry.sol";
import {Signatures} from "./libraries/Signatures.sol";

/// @title NodeRegistry, as INodeRegistry documents it
/// @notice Bonded tokens keep their vote: an owner's units are its nodes' stakes, delegated to itself until it says
/// otherwise, on timestamps as in IFRToken.
contract NodeRegistry is INodeRegistry, Proceeds, AccessControl, Votes {
    using SafeERC20 for IERC20;
    using SafeCast for uint256;

    bytes32 public constant SLASHER_ROLE = keccak256("SLASHER_ROLE");
    bytes32 public constant BOND_CONSENT_TYPEHASH =
        keccak256("BondConsent(address node,uint8 role,address owner,address payout,uint64 expiresAt)");
    uint256 public constant MAX_REPORTER_BPS = 3_000;
    uint256 public constant MAX_MINIMUM = 10_000_000 ether;
    uint256 public constant MAX_DELAY = 90 days;
    uint256 private constant BPS = 10_000;

    Parameters private _parameters;
    mapping(address node => Node) private _nodes;
    mapping(address owner => uint256) private _stakeOwnedBy;

    /// @param slashers contracts that find nodes guilty
    constructor(IERC20 token_, address admin, address[] memory slashers, Parameters memory parameters_)
        Proceeds(token_)
        EIP712("Inferium", "1")
    {
        _setParameters(parameters_);
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
        for (uint256 i = 0; i < slashers.length; ++i) {
            _grantRole(SLASHER_ROLE, slashers[i]);
        }
    }

    /// @inheritdoc INodeRegistry
    function setParameters(Parameters calldata parameters_) external onlyRole(DEFAULT_ADMIN_ROLE) {
        _setParameters(parameters_);
    }

    /// @inheritdoc INodeRegistry
    function bond(address node, Role role, address payout, uint256 amount) external {
        if (_nodes[node].owner == address(0) && msg.sender != node) revert NodeConsentMissing(node);
        _bond(node, role, payout, amount);
    }

    /// @inheritdoc INodeRegistry
    function bondWithConsent(
        address node,
        Role role,
        address payout,
        uint256 amount,
        uint64 expiresAt,
        bytes calldata signature
    ) external {
        if (block.timestamp > expiresAt) revert ConsentExpired(expiresAt);
        bytes32 consent = keccak256(abi.encode(BOND_CONSENT_TYPEHASH, node, uint8(role), msg.sender, payout, expiresAt));
        if (Signatures.recover(_hashTypedDataV4(consent), signature) != node) revert NodeConsentMissing(node);
        _bond(node, role, payout, amount);
    }

    /// @inheritdoc INodeRegistry
    function setPayout(address node, address payout) external {
        _requireOwner(node);
        if (payout == address(0)) revert InvalidPayout();
        _nodes[node].payout = payout;
        emit PayoutChanged(node, payout);
    }

    /// @inheritdoc INodeRegistry
    function requestUnbond(address node, uint256 amount) external {
        _requireOwner(node);
        Node storage record = _nodes[node];
        if (amount == 0 || amount > record.active) revert AmountTooLarge(amount, record.active);
        uint64 delay = record.role == Role.Validator ? _parameters.validatorDelay : _parameters.workerDelay;
        record.active -= amount.toUint128();
        record.unbonding += amount.toUint128();
        record.releaseAt = uint64(block.timestamp) + delay;
        emit UnbondRequested(node, amount, record.releaseAt);
    }

    /// @inheritdoc INodeRegistry
    function withdraw(address node) external {
        Node storage record = _nodes[node];
        uint256 amount = record.unbonding;
        address owner = record.owner;
        if (amount == 0) revert NothingToWithdraw();
        if (block.timestamp < record.releaseAt) revert StillUnbonding(record.releaseAt);
        record.unbonding = 0;
        _changeStakeOf(owner, amount, 0);
        if (record.active == 0 && !record.disqualified) _forget(record);
        emit Withdrawn(node, owner, amount);
        token.safeTransfer(owner, amount);
    }

    /// @inheritdoc INodeRegistry
    function slash(address node, Role role, uint256 bps, bytes32 fault, address reporter)
        external
        onlyRole(SLASHER_ROLE)
        returns (uint256 amount)
    {
        Node storage record = _nodes[node];
        if (bps == 0 || bps > BPS) revert InvalidBps(bps);
        if (record.role != role) revert WrongRole(record.role, role);
        amount = (uint256(record.active) + record.unbonding) * bps / BPS;
        if (amount == 0) revert NothingToSlash(node);
        _takeActiveFirst(record, amount);
        _changeStakeOf(record.owner, amount, 0);
        uint256 share = _isOwn(record, node, reporter) ? 0 : amount * _parameters.reporterBps / BPS;
        _owe(reporter, share);
        _burnLater(amount - share);
        emit Slashed(node, fault, reporter, amount, share, amount - share);
    }

    /// @inheritdoc INodeRegistry
    function disqualify(address node, bytes32 fault) external onlyRole(SLASHER_ROLE) {
        if (_nodes[node].disqualified) revert NodeIsDisqualified(node);
        _nodes[node].disqualified = true;
        emit Disqualified(node, fault);
    }

    /// @inheritdoc INodeRegistry
    function nodeOf(address node) external view returns (Node memory) {
        return _nodes[node];
    }

    /// @inheritdoc INodeRegistry
    function stakeOf(address node) external view returns (uint256) {
        return uint256(_nodes[node].active) + _nodes[node].unbonding;
    }

    /// @inheritdoc INodeRegistry
    function payoutOf(address account) external view returns (address) {
        address payout = _nodes[account].payout;
        return payout == address(0) ? account : payout;
    }

    /// @inheritdoc INodeRegistry
    function parameters() external view returns (Parameters memory) {
        return _parameters;
    }

    /// @inheritdoc INodeRegistry
    function isActive(address node, Role role) external view returns (bool) {
        return _nodes[node].role == role && stateOf(node) == State.Active;
    }

    /// @inheritdoc INodeRegistry
    function stateOf(address node) public view returns (State) {
        Node storage record = _nodes[node];
        if (record.disqualified) return State.Disqualified;
        if (record.role == Role.None) return State.None;
        if (record.active >= minimumOf(record.role)) return State.Active;
        if (record.active == 0 && record.unbonding > 0) return State.Unbonding;
        return State.Underbonded;
    }

    /// @inheritdoc INodeRegistry
    function minimumOf(Role role) public view returns (uint256) {
        if (role == Role.None) revert InvalidRole();
        return role == Role.Validator ? _parameters.validatorMinimum : _parameters.workerMinimum;
    }

    function clock() public view override returns (uint48) {
        return uint48(block.timestamp);
    }

    // solhint-disable-next-line func-name-mixedcase
    function CLOCK_MODE() public pure override returns (string memory) {
        return "mode=timestamp";
    }

    function _getVotingUnits(address account) internal view override returns (uint256) {
        return _stakeOwnedBy[account];
    }

    /// @dev Votes follow the stake of all of an owner's nodes.
    function _changeStakeOf(address owner, uint256 less, uint256 more) private {
        if (delegates(owner) == address(0)) _delegate(owner, owner);
        _stakeOwnedBy[owner] = _stakeOwnedBy[owner] + more - less;
        if (more > 0) _transferVotingUnits(address(0), owner, more);
        if (less > 0) _transferVotingUnits(owner, address(0), less);
    }

    function _setParameters(Parameters memory p) private {
        _requireBounded(p.workerMinimum, MAX_MINIMUM);
        _requireBounded(p.validatorMinimum, MAX_MINIMUM);
        _requireBounded(p.workerDelay, MAX_DELAY);
        _requireBounded(p.validatorDelay, MAX_DELAY);
        if (p.reporterBps > MAX_REPORTER_BPS) revert InvalidParameter();
        _parameters = p;
        emit ParametersChanged(p);
    }

    /// @dev Callers have checked that the node agrees to its first owner.
    function _bond(address node, Role role, address payout, uint256 amount) private {
        Node storage record = _nodes[node];
        if (record.disqualified) revert NodeIsDisqualified(node);
        if (payout == address(0)) revert InvalidPayout();
        uint256 minimum = minimumOf(role);
        if (record.owner == address(0)) {
            (record.owner, record.role) = (msg.sender, role);
        }
        if (record.owner != msg.sender) revert NotOwner(msg.sender, record.owner);
        if (record.role != role) revert WrongRole(record.role, role);
        uint256 active = record.active + amount;
        if (active < minimum) revert BondTooSmall(active, minimum);
        record.payout = payout;
        record.active = active.toUint128();
        _changeStakeOf(msg.sender, 0, amount);
        emit Bonded(node, role, msg.sender, payout, amount, active);
        token.safeTransferFrom(msg.sender, address(this), amount);
    }

    /// @dev The payout address stays, so that rewards still to be claimed do not go to the hot key.
    function _forget(Node storage record) private {
        (record.owner, record.role, record.releaseAt) = (address(0), Role.None, 0);
    }

    function _takeActiveFirst(Node storage record, uint256 amount) private {
        uint256 fromActive = amount < record.active ? amount : record.active;
        record.active -= fromActive.toUint128();
        record.unbonding -= (amount - fromActive).toUint128();
    }

    function _requireOwner(address node) private view {
        address owner = _nodes[node].owner;
        if (owner == address(0)) revert UnknownNode(node);
        if (owner != msg.sender) revert NotOwner(msg.sender, owner);
    }

    /// @dev Nobody reports itself to get a part of its stake back.
    function _isOwn(Node storage record, address node, address reporter) private view returns (bool) {
        return reporter == address(0) || reporter == node || reporter == record.owner || reporter == record.payout;
    }

    function _requireBounded(uint256 value, uint256 maximum) private pure {
        if (value == 0 || value > maximum) revert InvalidParameter();
    }
}
