// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @notice What the public IFR token does that ours does not: its owner pauses all transfers, and whoever is blacklisted
/// can call neither transfer nor transferFrom, as the *caller*: tokens still move from and to it. It has no Permit, no
/// Votes and no burn.
contract PublicIfrToken is ERC20 {
    address public immutable owner = msg.sender;
    bool public paused;
    mapping(address account => bool) public isBlacklisted;

    error Paused();
    error Blacklisted(address caller);
    error NotOwner(address caller);

    constructor() ERC20("Inferium", "IFR") {}

    modifier onlyOwner() {
        if (msg.sender != owner) revert NotOwner(msg.sender);
        _;
    }

    modifier whenAllowed() {
        if (paused) revert Paused();
        if (isBlacklisted[msg.sender]) revert Blacklisted(msg.sender);
        _;
    }

    function setPaused(bool value) external onlyOwner {
        paused = value;
    }

    function setBlacklisted(address account, bool value) external onlyOwner {
        isBlacklisted[account] = value;
    }

    function mint(address to, uint256 amount) external onlyOwner {
        _mint(to, amount);
    }

    function transfer(address to, uint256 amount) public override whenAllowed returns (bool) {
        return super.transfer(to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) public override whenAllowed returns (bool) {
        return super.transferFrom(from, to, amount);
    }
}
