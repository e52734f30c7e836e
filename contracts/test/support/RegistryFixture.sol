// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INodeRegistry} from "../../src/interfaces/INodeRegistry.sol";
import {Fixture} from "./Fixture.sol";

/// @notice One node with a known key, an owner and a payout address, and the node's consent to its owner.
abstract contract RegistryFixture is Fixture {
    INodeRegistry.Role internal constant WORKER = INodeRegistry.Role.Worker;
    INodeRegistry.Role internal constant VALIDATOR = INodeRegistry.Role.Validator;
    uint256 internal constant NODE_KEY = 0xA11CE;
    address internal constant OWNER = address(0x0E);
    address internal constant PAYOUT = address(0xBA);
    bytes32 internal constant FAULT = keccak256("fault");
    address internal node;

    function setUp() public {
        deployAll();
        node = vm.addr(NODE_KEY);
    }

    function bondAsOwner(INodeRegistry.Role role, uint256 amount) internal {
        uint64 expiresAt = uint64(block.timestamp);
        bytes memory signature = consentOf(role, OWNER, expiresAt);
        fund(OWNER, address(registry), amount);
        vm.prank(OWNER);
        registry.bondWithConsent(node, role, PAYOUT, amount, expiresAt, signature);
    }

    function consentOf(INodeRegistry.Role role, address owner, uint64 expiresAt) internal view returns (bytes memory) {
        bytes32 consent =
            keccak256(abi.encode(registry.BOND_CONSENT_TYPEHASH(), node, uint8(role), owner, PAYOUT, expiresAt));
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Inferium"),
                keccak256("1"),
                block.chainid,
                address(registry)
            )
        );
        return compact(NODE_KEY, keccak256(abi.encodePacked(hex"1901", domain, consent)));
    }
}
