// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Groth16 over BN254
/// @notice Written from the pairing equation: e(-A, B) e(alpha, beta) e(X, gamma) e(C, delta) = 1, where X is the sum of the key's
/// points weighted by the signals. The key lies in the code of a contract, behind a byte that stops whoever calls it: 22 words cost
/// 3,000 gas to read from there and 46,000 from storage. No key needs a contract of its own. Proofs of inferences have three
/// signals; the tile of a dispute game has five.
library Groth16 {
    uint256 internal constant SIGNALS = 3;
    /// @dev alpha 2, beta, gamma and delta 4 each (imaginary parts first), then 2 for the constant and for each signal.
    uint256 internal constant GAMMA = 6;
    uint256 internal constant DELTA = 10;
    uint256 private constant POINTS = 14;
    uint256 internal constant SCALAR_ORDER =
        21888242871839275222246405745257275088548364400416034343698204186575808495617;
    uint256 private constant BASE_PRIME = 21888242871839275222246405745257275088696311157297823662689037894645226208583;
    /// @dev 181,000 for the pairing, which gets 63 of 64 parts of what is left. With less, a valid proof would look invalid.
    uint256 internal constant MINIMUM_GAS = 219_000;
    uint256 internal constant SIGNAL_GAS = 7_000;
    /// @dev A precompile takes all that it is given where a point is not on the curve: enough for any repricing, and not more.
    uint256 private constant PAIRING_GAS = 500_000;
    uint256 private constant POINT_GAS = 50_000;

    error SignalNotInField(uint256 index, uint256 signal);
    error NotEnoughGas(uint256 got, uint256 want);

    /// @notice Does the proof show the signals under the key? Never false for want of gas.
    /// @param key contract whose code is a zero byte and the key's words
    function isValid(address key, uint256[SIGNALS] memory signals, uint256[8] calldata proof)
        internal
        view
        returns (bool)
    {
        uint256[] memory list = new uint256[](SIGNALS);
        (list[0], list[1], list[2]) = (signals[0], signals[1], signals[2]);
        return isValid(key, list, proof);
    }

    /// @notice The same for a circuit with another number of signals; the key has 16 words and two for each of them.
    function isValid(address key, uint256[] memory signals, uint256[8] calldata proof) internal view returns (bool) {
        uint256 minimum = MINIMUM_GAS + SIGNAL_GAS * signals.length;
        if (gasleft() < minimum) revert NotEnoughGas(gasleft(), minimum);
        for (uint256 i = 0; i < signals.length; ++i) {
            // Else s and s + order would be two names of one statement.
            if (signals[i] >= SCALAR_ORDER) revert SignalNotInField(i, signals[i]);
        }
        if (proof[1] >= BASE_PRIME) return false;
        uint256[] memory k = new uint256[](keyWords(signals.length));
        assembly ("memory-safe") {
            extcodecopy(key, add(k, 32), 1, mul(mload(k), 32))
        }
        (bool isOnCurve, uint256 x, uint256 y) = _weigh(k, signals);
        return isOnCurve && _pair(k, proof, x, y);
    }

    function keyWords(uint256 signals) internal pure returns (uint256) {
        return POINTS + 2 + 2 * signals;
    }

    /// @dev The key's first point, and each further one times its signal.
    function _weigh(uint256[] memory k, uint256[] memory signals) private view returns (bool ok, uint256 x, uint256 y) {
        assembly ("memory-safe") {
            let scratch := mload(0x40)
            let point := add(k, mul(add(POINTS, 1), 32))
            mstore(scratch, mload(point))
            mstore(add(scratch, 32), mload(add(point, 32)))
            ok := 1
            for { let i := 1 } iszero(gt(i, mload(signals))) { i := add(i, 1) } {
                point := add(point, 64)
                mstore(add(scratch, 64), mload(point))
                mstore(add(scratch, 96), mload(add(point, 32)))
                mstore(add(scratch, 128), mload(add(signals, mul(i, 32))))
                ok := and(ok, staticcall(POINT_GAS, 7, add(scratch, 64), 96, add(scratch, 64), 64))
                ok := and(ok, staticcall(POINT_GAS, 6, scratch, 128, scratch, 64))
            }
            x := mload(scratch)
            y := mload(add(scratch, 32))
        }
    }

    function _pair(uint256[] memory k, uint256[8] calldata proof, uint256 x, uint256 y) private view returns (bool ok) {
        assembly ("memory-safe") {
            let input := mload(0x40)
            // -A, B
            calldatacopy(input, proof, 192)
            mstore(add(input, 32), mod(sub(BASE_PRIME, calldataload(add(proof, 32))), BASE_PRIME))
            // alpha, beta
            mcopy(add(input, 192), add(k, 32), 192)
            // X, gamma
            mstore(add(input, 384), x)
            mstore(add(input, 416), y)
            mcopy(add(input, 448), add(k, mul(add(GAMMA, 1), 32)), 128)
            // C, delta
            calldatacopy(add(input, 576), add(proof, 192), 64)
            mcopy(add(input, 640), add(k, mul(add(DELTA, 1), 32)), 128)
            ok := staticcall(PAIRING_GAS, 8, input, 768, input, 32)
            ok := and(ok, eq(mload(input), 1))
        }
    }
}
