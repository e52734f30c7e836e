// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";

import {Groth16} from "./Groth16.sol";
import {IModelRegistry} from "./IModelRegistry.sol";
import {VerifyingKeys} from "./VerifyingKeys.sol";

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
        VerifyingKeys.requireUsable(key, Groth16.SIGNALS);
        Circuit memory registered = circuit;
        registered.key = VerifyingKeys.write(key);
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
}
