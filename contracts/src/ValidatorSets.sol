// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {Create3} from "@openzeppelin/contracts/utils/Create3.sol";

import {INodeRegistry} from "./interfaces/INodeRegistry.sol";
import {ISettlement} from "./interfaces/ISettlement.sol";
import {IValidatorSets} from "./interfaces/IValidatorSets.sol";
import {Certificates} from "./libraries/Certificates.sol";

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
    uint256 private constant ADDRESS_BYTES = Certificates.ADDRESS_BYTES;

    INodeRegistry public immutable registry;
    ISettlement public immutable settlement;
    /// @notice Seconds for which the previous epoch may still certify.
    uint64 public immutable graceSeconds;

    /// @dev One slot: the epoch, the last second at which the one before may certify, and the
    /// account that holds the epoch's set.
    uint32 private _epoch;
    uint64 private _graceUntil;
    address private _store;
    mapping(uint64 epoch => uint64) private _retiredAt;

    /// @param settlement_ is told of each epoch that begins; reads the first one itself, since it is deployed later
    /// @param genesis first set, ascending; trusted as it is, since nobody can have bonded yet
    /// @param removers contracts that find validators guilty, and Settlement, which renews an epoch
    constructor(
        INodeRegistry registry_,
        ISettlement settlement_,
        address admin,
        address[] memory removers,
        uint64 graceSeconds_,
        address[] memory genesis
    ) {
        if (graceSeconds_ > MAX_GRACE) revert InvalidParameter();
        registry = registry_;
        settlement = settlement_;
        graceSeconds = graceSeconds_;
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
        _grantRole(ROTATOR_ROLE, admin);
        for (uint256 i = 0; i < removers.length; ++i) {
            _grantRole(REMOVER_ROLE, removers[i]);
        }
        _write(genesis, 0);
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
            address member = Certificates.memberAt(set, i);
            if (!_contains(validators, member)) rest[kept++] = member;
        }
        if (block.timestamp <= _graceUntil && _containsAny(validators, _read(_epoch - 1))) _graceUntil = 0;
        if (kept == count || kept == 0) return _epoch;
        assembly ("memory-safe") {
            mstore(rest, kept)
        }
        return _begin(rest, 0);
    }

    /// @inheritdoc IValidatorSets
    function renew() external onlyRole(REMOVER_ROLE) returns (uint64) {
        return _begin(validatorsOf(_epoch), 0);
    }

    /// @inheritdoc IValidatorSets
    function liveStoreOf(uint64 epoch_) external view returns (address) {
        if (epoch_ == _epoch) return _store;
        if (!isLive(epoch_)) revert EpochRetired(epoch_, _epoch);
        return _storeOf(epoch_);
    }

    /// @inheritdoc IValidatorSets
    function epoch() external view returns (uint64) {
        return _epoch;
    }

    /// @inheritdoc IValidatorSets
    function quorumOf(uint64 epoch_) external view returns (uint256) {
        return Certificates.quorum(_read(epoch_).length / ADDRESS_BYTES);
    }

    /// @inheritdoc IValidatorSets
    function validatorsOf(uint64 epoch_) public view returns (address[] memory validators) {
        bytes memory set = _read(epoch_);
        validators = new address[](set.length / ADDRESS_BYTES);
        for (uint256 i = 0; i < validators.length; ++i) {
            validators[i] = Certificates.memberAt(set, i);
        }
    }

    /// @inheritdoc IValidatorSets
    function isMember(uint64 epoch_, address account) external view returns (bool) {
        bytes memory set = _read(epoch_);
        uint256 count = set.length / ADDRESS_BYTES;
        for (uint256 i = 0; i < count; ++i) {
            if (Certificates.memberAt(set, i) == account) return true;
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
        Certificates.verify(digest, _requireStore(epoch_), bitmap, signatures);
    }

    function _begin(address[] memory validators, uint64 graceUntil) private returns (uint64 next) {
        next = _write(validators, graceUntil);
        settlement.followEpoch(next, _store);
    }

    function _write(address[] memory validators, uint64 graceUntil) private returns (uint64 next) {
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
        (_epoch, _graceUntil) = (uint32(next), graceUntil);
        _store = Create3.deploy(0, bytes32(uint256(next)), bytes.concat(STORE_INITCODE, packed));
        emit Rotated(next, validators);
    }

    function _contains(address[] calldata list, address account) private pure returns (bool) {
        for (uint256 i = 0; i < list.length; ++i) {
            if (list[i] == account) return true;
        }
        return false;
    }

    function _containsAny(address[] calldata list, bytes memory set) private pure returns (bool) {
        uint256 count = set.length / ADDRESS_BYTES;
        for (uint256 i = 0; i < count; ++i) {
            if (_contains(list, Certificates.memberAt(set, i))) return true;
        }
        return false;
    }

    /// @dev The packed addresses of an epoch.
    function _read(uint64 epoch_) private view returns (bytes memory) {
        return Certificates.read(_requireStore(epoch_));
    }

    function _requireStore(uint64 epoch_) private view returns (address store) {
        store = _storeOf(epoch_);
        if (store.code.length == 0) revert UnknownEpoch(epoch_);
    }

    function _storeOf(uint64 epoch_) private view returns (address) {
        return Create3.computeAddress(bytes32(uint256(epoch_)));
    }
}
