// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Which headers are proven to be wrong
interface IFaultRegistry {
    /// @notice Whether a fault in this header was proven, so that Settlement may roll it back while it is not final.
    function isFaultyHeader(bytes32 headerHash) external view returns (bool);
}
