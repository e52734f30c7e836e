// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {ERC20Capped} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Capped.sol";

import {IFRToken} from "../src/IFRToken.sol";
import {Fixture} from "./support/Fixture.sol";

contract IFRTokenTest is Fixture {
    function setUp() public {
        deployAll();
    }

    function testMintsUpToTheCapAndNotBeyond() public {
        token.mint(STRANGER, 250_000_000 ether);
        assertEq(token.totalSupply(), token.cap());
        vm.expectRevert(
            abi.encodeWithSelector(ERC20Capped.ERC20ExceededCap.selector, 250_000_000 ether + 1, 250_000_000 ether)
        );
        token.mint(STRANGER, 1);
    }

    function testGenesisHoldersVoteFromTheStart() public {
        IFRToken.Allocation[] memory genesis = new IFRToken.Allocation[](2);
        genesis[0] = IFRToken.Allocation(STRANGER, 7);
        genesis[1] = IFRToken.Allocation(REQUESTER, 250_000_000 ether - 7);
        IFRToken other = IFRToken(deploy("IFRToken", abi.encode(GUARDIAN, genesis)));
        assertEq(other.balanceOf(STRANGER), 7);
        assertEq(other.getVotes(STRANGER), 7);
        assertEq(other.getVotes(REQUESTER), 250_000_000 ether - 7);
        assertEq(other.totalSupply(), other.cap());
        genesis[0].amount = 8;
        assertNotDeployable(
            "IFRToken",
            abi.encode(GUARDIAN, genesis),
            abi.encodeWithSelector(ERC20Capped.ERC20ExceededCap.selector, 250_000_000 ether + 1, 250_000_000 ether)
        );
    }

    function testOnlyTheMinterMints() public {
        bytes32 role = token.MINTER_ROLE();
        vm.expectRevert(
            abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, STRANGER, role)
        );
        vm.prank(STRANGER);
        token.mint(STRANGER, 1);
    }

    function testVotesFollowDelegationOnTimestamps() public {
        token.mint(STRANGER, 5);
        vm.prank(STRANGER);
        token.delegate(STRANGER);
        assertEq(token.getVotes(STRANGER), 5);
        assertEq(token.clock(), block.timestamp);
        assertEq(keccak256(bytes(token.CLOCK_MODE())), keccak256("mode=timestamp"));
    }

    function testPermitApprovesBySignature() public {
        bytes32 permit = keccak256(
            abi.encode(
                keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
                validators[0],
                STRANGER,
                7,
                token.nonces(validators[0]),
                block.timestamp
            )
        );
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", token.DOMAIN_SEPARATOR(), permit));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(keys[0], digest);
        token.permit(validators[0], STRANGER, 7, block.timestamp, v, r, s);
        assertEq(token.allowance(validators[0], STRANGER), 7);
    }
}
