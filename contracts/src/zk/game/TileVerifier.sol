// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Groth16} from "../Groth16.sol";
import {IModelRegistry} from "../IModelRegistry.sol";
import {VerifyingKeys} from "../VerifyingKeys.sol";
import {ITileVerifier} from "./ITileVerifier.sol";

/// @title TileVerifier, as ITileVerifier documents it
contract TileVerifier is ITileVerifier {
    uint256 private constant SIGNALS = 5;

    address public immutable key;
    Setup private _setup;

    /// @param words of the verifying key, as Groth16.sol orders them
    constructor(uint256[] memory words, Setup memory setup_, bool allowDevelopmentSetup) {
        if (setup_.isDevelopment && !allowDevelopmentSetup) revert IModelRegistry.DevelopmentSetupRefused();
        VerifyingKeys.requireUsable(words, SIGNALS);
        key = VerifyingKeys.write(words);
        _setup = setup_;
    }

    /// @inheritdoc ITileVerifier
    function isValid(uint256 weights, uint256 block31, uint256[3] calldata sums, uint256[8] calldata proof)
        external
        view
        returns (bool)
    {
        uint256[] memory signals = new uint256[](SIGNALS);
        (signals[0], signals[1], signals[2], signals[3]) = (weights, sums[0], sums[1], sums[2]);
        signals[4] = block31;
        return Groth16.isValid(key, signals, proof);
    }

    /// @inheritdoc ITileVerifier
    function setup() external view returns (Setup memory) {
        return _setup;
    }
}
