// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {ISettlement} from "./interfaces/ISettlement.sol";
import {ITaskEscrow} from "./interfaces/ITaskEscrow.sol";
import {Leaves} from "./libraries/Leaves.sol";
import {TypedData} from "./libraries/TypedData.sol";

/// @title TaskEscrow, as ITaskEscrow documents it
contract TaskEscrow is ITaskEscrow {
    using SafeERC20 for IERC20;
    using SafeCast for uint256;

    uint256 public constant MAX_WITHDRAWAL_DELAY = 90 days;

    IERC20 public immutable token;
    address public immutable distributor;
    ISettlement public immutable settlement;
    uint64 public immutable withdrawalDelay;

    mapping(address requester => uint256) public depositedOf;
    mapping(address requester => uint256) public withdrawnOf;
    mapping(address requester => uint256) public provenSpentOf;
    mapping(address requester => Withdrawal) private _withdrawals;

    uint128 private _totalDeposited;
    uint128 private _totalWithdrawn;
    uint256 public totalPaid;

    constructor(IERC20 token_, address distributor_, ISettlement settlement_, uint64 withdrawalDelay_) {
        if (withdrawalDelay_ > MAX_WITHDRAWAL_DELAY) revert InvalidParameter();
        token = token_;
        distributor = distributor_;
        settlement = settlement_;
        withdrawalDelay = withdrawalDelay_;
    }

    /// @inheritdoc ITaskEscrow
    function deposit(uint256 amount) external {
        _deposit(msg.sender, amount);
    }

    /// @inheritdoc ITaskEscrow
    function depositFor(address requester, uint256 amount) external {
        _deposit(requester, amount);
    }

    /// @inheritdoc ITaskEscrow
    function depositWithPermit(uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external {
        // A permit can be front-run, which uses up its nonce and leaves the allowance: so its failure decides nothing.
        try IERC20Permit(address(token)).permit(msg.sender, address(this), amount, deadline, v, r, s) {} catch {}
        _deposit(msg.sender, amount);
    }

    /// @inheritdoc ITaskEscrow
    function requestWithdrawal(uint256 amount) external {
        uint256 available = spendableOf(msg.sender);
        if (amount == 0) revert InvalidAmount();
        if (amount > available) revert AmountTooLarge(amount, available);
        Withdrawal storage entry = _withdrawals[msg.sender];
        entry.amount += amount.toUint128();
        entry.readyAt = uint64(block.timestamp) + withdrawalDelay;
        emit WithdrawalRequested(msg.sender, entry.amount, entry.readyAt);
    }

    /// @inheritdoc ITaskEscrow
    function cancelWithdrawal() external {
        uint256 amount = _takeRequest(msg.sender);
        emit WithdrawalCancelled(msg.sender, amount);
    }

    /// @inheritdoc ITaskEscrow
    function proveSpent(
        TypedData.BatchHeader calldata header,
        address requester,
        uint256 spentWei,
        bytes32[] calldata proof
    ) external {
        settlement.requireFinal(header);
        bool isIn = MerkleProof.verifyCalldata(proof, header.balanceRoot, Leaves.hashSpent(requester, spentWei));
        if (!isIn || spentWei <= provenSpentOf[requester]) revert InvalidSpentProof(requester);
        provenSpentOf[requester] = spentWei;
        emit SpentProven(requester, spentWei);
    }

    /// @inheritdoc ITaskEscrow
    function withdraw(address to) external returns (uint256 amount) {
        uint256 readyAt = _readyAt(msg.sender);
        amount = _takeRequest(msg.sender);
        if (block.timestamp < readyAt) revert NotReady(readyAt);
        uint256 gone = withdrawnOf[msg.sender] + provenSpentOf[msg.sender];
        uint256 left = depositedOf[msg.sender] > gone ? depositedOf[msg.sender] - gone : 0;
        if (amount > left) amount = left;
        withdrawnOf[msg.sender] += amount;
        _totalWithdrawn += amount.toUint128();
        emit Withdrawn(msg.sender, to, amount);
        if (amount == 0) return 0;
        settlement.uncover();
        token.safeTransfer(to, amount);
    }

    /// @inheritdoc ITaskEscrow
    function payOut(address to, uint256 amount) external returns (uint256 paid) {
        if (msg.sender != distributor) revert NotDistributor(msg.sender);
        paid = totalPaid + amount;
        totalPaid = paid;
        emit PaidOut(to, amount);
        token.safeTransfer(to, amount);
    }

    /// @inheritdoc ITaskEscrow
    function withdrawalOf(address requester) external view returns (Withdrawal memory) {
        return _withdrawals[requester];
    }

    /// @inheritdoc ITaskEscrow
    function totalHeld() external view returns (uint256) {
        return _totalDeposited - _totalWithdrawn;
    }

    /// @inheritdoc ITaskEscrow
    function totalDeposited() external view returns (uint256) {
        return _totalDeposited;
    }

    /// @inheritdoc ITaskEscrow
    function totalWithdrawn() external view returns (uint256) {
        return _totalWithdrawn;
    }

    /// @inheritdoc ITaskEscrow
    function spendableOf(address requester) public view returns (uint256) {
        return depositedOf[requester] - withdrawnOf[requester] - _withdrawals[requester].amount;
    }

    /// @dev Nothing can be proven while Settlement is paused, so that the wait begins anew when a pause ends.
    function _readyAt(address requester) private view returns (uint256) {
        uint256 readyAt = _withdrawals[requester].readyAt;
        uint256 pausedUntil = settlement.pausedUntil();
        return pausedUntil + withdrawalDelay > readyAt ? pausedUntil + withdrawalDelay : readyAt;
    }

    function _takeRequest(address requester) private returns (uint256 amount) {
        amount = _withdrawals[requester].amount;
        if (amount == 0) revert NothingRequested(requester);
        delete _withdrawals[requester];
    }

    function _deposit(address requester, uint256 amount) private {
        if (requester == address(0)) revert InvalidRequester();
        if (amount == 0) revert InvalidAmount();
        depositedOf[requester] += amount;
        _totalDeposited += amount.toUint128();
        emit Deposited(requester, msg.sender, amount, depositedOf[requester]);
        token.safeTransferFrom(msg.sender, address(this), amount);
    }
}
