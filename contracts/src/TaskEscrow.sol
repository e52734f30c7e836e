// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {ITaskEscrow} from "./interfaces/ITaskEscrow.sol";

/// @title TaskEscrow, as ITaskEscrow documents it
contract TaskEscrow is ITaskEscrow {
    using SafeERC20 for IERC20;

    IERC20 public immutable token;
    address public immutable distributor;

    mapping(address requester => uint256) public depositedOf;
    uint256 public totalDeposited;
    uint256 public totalPaid;

    constructor(IERC20 token_, address distributor_) {
        token = token_;
        distributor = distributor_;
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
    function payOut(address to, uint256 amount) external returns (uint256 paid) {
        if (msg.sender != distributor) revert NotDistributor(msg.sender);
        paid = totalPaid + amount;
        totalPaid = paid;
        emit PaidOut(to, amount);
        token.safeTransfer(to, amount);
    }

    function _deposit(address requester, uint256 amount) private {
        if (requester == address(0)) revert InvalidRequester();
        if (amount == 0) revert InvalidAmount();
        depositedOf[requester] += amount;
        totalDeposited += amount;
        emit Deposited(requester, msg.sender, amount, depositedOf[requester]);
        token.safeTransferFrom(msg.sender, address(this), amount);
    }
}
