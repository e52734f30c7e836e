// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Canonical bytes of tensors, over which receipts agree
/// @notice `src/protocol/tensors/canonical.ts` says how they are written. Here they are written and never read: whoever shows tensors
/// shows their data, and the digest of what it would be as canonical bytes is compared with the receipt's.
library Tensors {
    bytes internal constant MAGIC = "inferium/tensors/v1";

    /// @notice What stands before the tensors.
    function head(uint64 count) internal pure returns (bytes memory) {
        return bytes.concat(MAGIC, toLittleEndian(count));
    }

    function encode(bytes memory name, bytes memory dtype, uint64[] memory shape, bytes calldata data)
        internal
        pure
        returns (bytes memory)
    {
        bytes memory axes = toLittleEndian(uint64(shape.length));
        for (uint256 i = 0; i < shape.length; ++i) {
            axes = bytes.concat(axes, toLittleEndian(shape[i]));
        }
        bytes memory described = bytes.concat(_withLength(name), _withLength(dtype), axes);
        return bytes.concat(described, toLittleEndian(uint64(data.length)), data);
    }

    function _withLength(bytes memory text) private pure returns (bytes memory) {
        return bytes.concat(toLittleEndian(uint64(text.length)), text);
    }

    function toLittleEndian(uint64 value) internal pure returns (bytes memory) {
        return abi.encodePacked(swap(value));
    }

    /// @notice The element of 8 bytes at this place; the caller has checked that there is one.
    function int64At(bytes calldata data, uint256 index) internal pure returns (int64) {
        return int64(swap(uint64(bytes8(data[8 * index:8 * index + 8]))));
    }

    /// @notice The element of 4 bytes at this place; the caller has checked that there is one.
    function int32At(bytes calldata data, uint256 index) internal pure returns (int32) {
        return int32(uint32(swap(uint64(uint32(bytes4(data[4 * index:4 * index + 4])))) >> 32));
    }

    /// @notice The same bytes from the other end.
    function swap(uint64 value) internal pure returns (uint64) {
        uint64 bytes_ = value >> 8 & 0x00FF00FF00FF00FF | (value & 0x00FF00FF00FF00FF) << 8;
        uint64 pairs = bytes_ >> 16 & 0x0000FFFF0000FFFF | (bytes_ & 0x0000FFFF0000FFFF) << 16;
        return pairs >> 32 | pairs << 32;
    }
}
