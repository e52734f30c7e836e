// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Burnable} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";
import {ERC20Capped} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Capped.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ERC20Votes} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Votes.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";

/// @title IFR, the token that pays, bonds and votes
/// @notice Capped at 250,000,000; minted by role, never past the cap; burnt by slashing. Votes run on timestamps, since
/// block numbers mean different things on different rollups.
contract IFRToken is ERC20, ERC20Burnable, ERC20Capped, ERC20Permit, ERC20Votes, AccessControl {
    bytes32 public constant MINTER_ROLE = keccak256("MINTER_ROLE");
    uint256 public constant MAX_SUPPLY = 250_000_000 ether;

    /// @notice Minted once, by the constructor: where governance is the admin from the first block, somebody must hold votes.
    struct Allocation {
        address account;
        uint256 amount;
    }

    /// @param admin may grant and revoke the minter role
    /// @param genesis who holds tokens from the start; each votes for itself until it says otherwise
    constructor(address admin, Allocation[] memory genesis)
        ERC20("Inferium", "IFR")
        ERC20Capped(MAX_SUPPLY)
        ERC20Permit("Inferium")
    {
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
        _grantRole(MINTER_ROLE, admin);
        for (uint256 i = 0; i < genesis.length; ++i) {
            _delegate(genesis[i].account, genesis[i].account);
            _mint(genesis[i].account, genesis[i].amount);
        }
    }

    function mint(address to, uint256 amount) external onlyRole(MINTER_ROLE) {
        _mint(to, amount);
    }

    function clock() public view override returns (uint48) {
        return uint48(block.timestamp);
    }

    // solhint-disable-next-line func-name-mixedcase
    function CLOCK_MODE() public pure override returns (string memory) {
        return "mode=timestamp";
    }

    function nonces(address owner) public view override(ERC20Permit, Nonces) returns (uint256) {
        return super.nonces(owner);
    }

    function _update(address from, address to, uint256 value) internal override(ERC20, ERC20Capped, ERC20Votes) {
        super._update(from, to, value);
    }
}
