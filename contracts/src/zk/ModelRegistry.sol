// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";

import {Groth16} from "./Groth16.sol";
import {IModelRegistry} from "./IModelRegistry.sol";

/// @title ModelRegistry, as IModelRegistry documents it
contract ModelRegistry is IModelRegistry, AccessControl {
    /// @notice Whether keys of development setups are taken: in the embedded run and in tests alone.
    bool public immutable allowDevelopmentSetup;

    mapping(bytes32 modelDigest => mapping(uint32 rows => Circuit)) private _circuits;

    constructor(address admin, bool allowDevelopmentSetup_) {
        allowDevelopmentSetup = allowDevelopmentSetup_;
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
    }

    /// @inheritdoc IModelRegistry
    function register(bytes32 modelDigest, uint32 rows, Circuit calldata circuit, uint256[] calldata key)
        external
        onlyRole(DEFAULT_ADMIN_ROLE)
    {
        if (_circuits[modelDigest][rows].key != address(0)) revert AlreadyRegistered(modelDigest, rows);
        if (circuit.isDevelopment && !allowDevelopmentSetup) revert DevelopmentSetupRefused();
        _requireContributed(key);
        Circuit memory registered = circuit;
        registered.key = _write(key);
        _circuits[modelDigest][rows] = registered;
        emit ModelRegistered(modelDigest, rows, circuit.r1csDigest, circuit.isDevelopment);
    }

    /// @inheritdoc IModelRegistry
    function circuitOf(bytes32 modelDigest, uint32 rows) external view returns (Circuit memory circuit) {
        circuit = _circuits[modelDigest][rows];
        if (circuit.key == address(0)) revert UnknownModel(modelDigest, rows);
    }

    /// @inheritdoc IModelRegistry
    function keyOf(bytes32 modelDigest, uint32 rows) external view returns (address key) {
        key = _circuits[modelDigest][rows].key;
        if (key == address(0)) revert UnknownModel(modelDigest, rows);
    }

    function _requireContributed(uint256[] calldata key) private pure {
        if (key.length != Groth16.KEY_WORDS) revert WrongKeyLength(key.length, Groth16.KEY_WORDS);
        bytes32 gamma = keccak256(abi.encode(key[Groth16.GAMMA:Groth16.DELTA]));
        bytes32 delta = keccak256(abi.encode(key[Groth16.DELTA:Groth16.DELTA + 4]));
        if (gamma == delta) revert KeyWithoutContribution();
    }

    /// @dev A contract whose code is a byte that stops and then the words.
    function _write(uint256[] calldata key) private returns (address at) {
        bytes memory code = abi.encodePacked(hex"00", key);
        // PUSH2 length, DUP1, PUSH1 10, RETURNDATASIZE, CODECOPY, RETURNDATASIZE, RETURN: gives back what follows.
        bytes memory creation = abi.encodePacked(hex"61", uint16(code.length), hex"80600a3d393df3", code);
        assembly ("memory-safe") {
            at := create(0, add(creation, 32), mload(creation))
        }
        assert(at != address(0));
    }
}
