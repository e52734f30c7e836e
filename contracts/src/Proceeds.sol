// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20Burnable} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {IProceeds} from "./interfaces/IProceeds.sol";

/// @title Proceeds, as IProceeds documents it
abstract contract Proceeds is IProceeds {
    using SafeERC20 for IERC20;

    /// @dev Where tokens go that cannot be burnt: nobody has its key.
    address private constant DEAD = 0x000000000000000000000000000000000000dEaD;

    IERC20 public immutable token;

    /// @inheritdoc IProceeds
    mapping(address account => uint256) public owedTo;
    /// @inheritdoc IProceeds
    uint256 public pendingBurn;

    constructor(IERC20 token_) {
        token = token_;
    }

    /// @inheritdoc IProceeds
    function collect(address account) external {
        uint256 amount = owedTo[account];
        if (amount == 0) revert NothingOwed(account);
        owedTo[account] = 0;
        emit Collected(account, amount);
        token.safeTransfer(account, amount);
    }

    /// @inheritdoc IProceeds
    function burnPending() external {
        uint256 amount = pendingBurn;
        if (amount == 0) revert NothingToBurn();
        pendingBurn = 0;
        emit Burnt(amount);
        try ERC20Burnable(address(token)).burn(amount) {}
        catch {
            token.safeTransfer(DEAD, amount);
        }
    }

    function _owe(address account, uint256 amount) internal {
        if (amount > 0) owedTo[account] += amount;
    }

    function _burnLater(uint256 amount) internal {
        pendingBurn += amount;
    }
}
