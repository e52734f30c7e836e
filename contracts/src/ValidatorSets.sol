// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {Create3} from "@openzeppelin/contracts/utils/Create3.sol";

import {INodeRegistry} from "./interfaces/INodeRegistry.sol";
import {IValidatorSets} from "./interfaces/IValidatorSets.sol";
import {Signatures} from "./libraries/Signatures.sol";

/// @title ValidatorSets
/// @notice A set is stored as the code of an account whose address follows from the epoch alone, so that reading one
/// costs one account access and no storage slot.
contract ValidatorSets is IValidatorSets, AccessControl {
    bytes32 public constant ROTATOR_ROLE = keccak256("ROTATOR_ROLE");
    bytes32 public constant REMOVER_ROLE = keccak256("REMOVER_ROLE");
    uint256 public constant MAX_VALIDATORS = 128;
    uint256 public constant MAX_GRACE = 7 days;

    /// @dev Deploys the rest of itself as code, behind a STOP so that nobody can run it.
    bytes12 private constant STORE_INITCODE = 0x600b5981380380925939f300;
    uint256 private constant ADDRESS_BYTES = 20;

    INodeRegistry public immutable registry;
    /// @notice Seconds for which the previous epoch may still certify.
    uint64 public immutable graceSeconds;

    /// @dev One slot: each settlement reads it.
    uint64 private _epoch;
    /// @dev Last second at which the previous epoch may certify.
    uint64 private _graceUntil;
    mapping(uint64 epoch => uint64) private _retiredAt;

    /// @param genesis first set, ascending; trusted as it is, since nobody can have bonded yet
    /// @param removers contracts that find validators guilty
    constructor(
        INodeRegistry registry_,
        address admin,
        address[] memory removers,
        uint64 graceSeconds_,
        address[] memory genesis
    ) {
        if (graceSeconds_ > MAX_GRACE) revert InvalidParameter();
        registry = registry_;
        graceSeconds = graceSeconds_;
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
        _grantRole(ROTATOR_ROLE, admin);
        for (uint256 i = 0; i < removers.length; ++i) {
            _grantRole(REMOVER_ROLE, removers[i]);
        }
        _begin(genesis, 0);
    }

    /// @inheritdoc IValidatorSets
    function rotate(address[] calldata validators) external onlyRole(ROTATOR_ROLE) returns (uint64) {
        for (uint256 i = 0; i < validators.length; ++i) {
            if (!registry.isActive(validators[i], INodeRegistry.Role.Validator)) {
                revert NotAnActiveValidator(validators[i]);
            }
        }
        return _begin(validators, uint64(block.timestamp) + graceSeconds);
    }

    /// @inheritdoc IValidatorSets
    function remove(address[] calldata validators) external onlyRole(REMOVER_ROLE) returns (uint64) {
        bytes memory set = _read(_epoch);
        uint256 count = set.length / ADDRESS_BYTES;
        address[] memory rest = new address[](count);
        uint256 kept = 0;
        for (uint256 i = 0; i < count; ++i) {
            address member = _member(set, i);
            if (!_contains(validators, member)) rest[kept++] = member;
        }
        if (kept == count || kept == 0) return _epoch;
        assembly ("memory-safe") {
            mstore(rest, kept)
        }
        return _begin(rest, 0);
    }

    /// @inheritdoc IValidatorSets
    function verifyLive(bytes32 digest, uint64 epoch_, uint256 bitmap, bytes calldata signatures) external view {
        if (!isLive(epoch_)) revert EpochRetired(epoch_, _epoch);
        verify(digest, epoch_, bitmap, signatures);
    }

    /// @inheritdoc IValidatorSets
    function epoch() external view returns (uint64) {
        return _epoch;
    }

    /// @inheritdoc IValidatorSets
    function quorumOf(uint64 epoch_) external view returns (uint256) {
        return _quorum(_read(epoch_).length / ADDRESS_BYTES);
    }

    /// @inheritdoc IValidatorSets
    function validatorsOf(uint64 epoch_) external view returns (address[] memory validators) {
        bytes memory set = _read(epoch_);
        validators = new address[](set.length / ADDRESS_BYTES);
        for (uint256 i = 0; i < validators.length; ++i) {
            validators[i] = _member(set, i);
        }
    }

    /// @inheritdoc IValidatorSets
    function isMember(uint64 epoch_, address account) external view returns (bool) {
        bytes memory set = _read(epoch_);
        uint256 count = set.length / ADDRESS_BYTES;
        for (uint256 i = 0; i < count; ++i) {
            if (_member(set, i) == account) return true;
        }
        return false;
    }

    /// @inheritdoc IValidatorSets
    function retiredAt(uint64 epoch_) external view returns (uint64) {
        if (epoch_ == 0 || epoch_ > _epoch) revert UnknownEpoch(epoch_);
        return _retiredAt[epoch_];
    }

    /// @inheritdoc IValidatorSets
    function isLive(uint64 epoch_) public view returns (bool) {
        uint64 current = _epoch;
        return epoch_ == current || (epoch_ + 1 == current && block.timestamp <= _graceUntil);
    }

    /// @inheritdoc IValidatorSets
    function verify(bytes32 digest, uint64 epoch_, uint256 bitmap, bytes calldata signatures) public view {
        bytes memory set = _read(epoch_);
        uint256 count = set.length / ADDRESS_BYTES;
        if (bitmap >> count != 0) revert UnknownSigner(count);
        uint256 signers = _countBits(bitmap);
        if (signers < _quorum(count)) revert QuorumNotReached(signers, _quorum(count));
        if (signatures.length != signers * Signatures.LENGTH) {
            revert SignatureCountMismatch(signatures.length, signers * Signatures.LENGTH);
        }
        uint256 checked = _checkSignatures(digest, set, bitmap, signatures);
        if (checked < signers) revert InvalidSignature(checked);
    }

    /// @dev How many signatures, from the first, are their members'. The caller has checked the lengths.
    /// Written out, since a certificate does this for each signer and the compiler's way costs a fifth of the precompile
    /// beside it. A malleable signature does no harm: signers are told apart by the bitmap.
    function _checkSignatures(bytes32 digest, bytes memory set, uint256 bitmap, bytes calldata signatures)
        private
        view
        returns (uint256 checked)
    {
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            mstore(buffer, digest)
            let cursor := signatures.offset
            // Each member is the upper 20 bytes of the word that begins at it.
            let member := add(set, 0x20)
            for { let bits := bitmap } bits { bits := shr(1, bits) } {
                if and(bits, 1) {
                    let vs := calldataload(add(cursor, 0x20))
                    mstore(add(buffer, 0x20), add(shr(255, vs), 27))
                    mstore(add(buffer, 0x40), calldataload(cursor))
                    mstore(add(buffer, 0x60), shr(1, shl(1, vs)))
                    // The precompile writes nothing where there is no signer.
                    mstore(0x00, 0)
                    pop(staticcall(gas(), 0x01, buffer, 0x80, 0x00, 0x20))
                    if iszero(eq(mload(0x00), shr(96, mload(member)))) { break }
                    checked := add(checked, 1)
                    cursor := add(cursor, 0x40)
                }
                member := add(member, 20)
            }
        }
    }

    /// @dev Sums of neighbours in ever wider fields; the multiplication adds up the bytes.
    function _countBits(uint256 x) private pure returns (uint256) {
        unchecked {
            x -= (x >> 1) & (type(uint256).max / 3);
            x = (x & (type(uint256).max / 5)) + ((x >> 2) & (type(uint256).max / 5));
            x = (x + (x >> 4)) & (type(uint256).max / 17);
            // At most 128 bits are set, so the sum fits a byte.
            return (x * (type(uint256).max / 255)) >> 248;
        }
    }

    function _begin(address[] memory validators, uint64 graceUntil) private returns (uint64 next) {
        if (validators.length == 0) revert EmptySet();
        if (validators.length > MAX_VALIDATORS) revert TooManyValidators(validators.length);
        bytes memory packed = "";
        address previous = address(0);
        for (uint256 i = 0; i < validators.length; ++i) {
            if (validators[i] <= previous) revert NotAscending(previous, validators[i]);
            previous = validators[i];
            packed = bytes.concat(packed, bytes20(previous));
        }
        next = _epoch + 1;
        _retiredAt[_epoch] = uint64(block.timestamp);
        _epoch = next;
        _graceUntil = graceUntil;
        Create3.deploy(0, bytes32(uint256(next)), bytes.concat(STORE_INITCODE, packed));
        emit Rotated(next, validators);
    }

    function _contains(address[] calldata list, address account) private pure returns (bool) {
        for (uint256 i = 0; i < list.length; ++i) {
            if (list[i] == account) return true;
        }
        return false;
    }

    /// @dev The packed addresses of an epoch: the code of its account, without the STOP in front.
    function _read(uint64 epoch_) private view returns (bytes memory set) {
        address store = Create3.computeAddress(bytes32(uint256(epoch_)));
        uint256 size = store.code.length;
        if (size == 0) revert UnknownEpoch(epoch_);
        set = new bytes(size - 1);
        assembly ("memory-safe") {
            extcodecopy(store, add(set, 0x20), 1, sub(size, 1))
        }
    }

    function _member(bytes memory set, uint256 index) private pure returns (address member) {
        // The caller keeps index below the set's size; the word read may run past its end, the address does not.
        assembly ("memory-safe") {
            member := shr(96, mload(add(add(set, 0x20), mul(index, 20))))
        }
    }

    function _quorum(uint256 count) private pure returns (uint256) {
        return (2 * count) / 3 + 1;
    }
}
