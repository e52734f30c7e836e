// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Epochs of validators, and the certificates they sign
/// @notice Each epoch's set is written into code once and never changes, so that whatever was signed under it stays
/// verifiable. A certificate is a bitmap (bit i: the set's i-th member signed) and the signatures in ascending order
/// of i, 64 bytes each (EIP-2098). A quorum is floor(2n/3)+1 members.
interface IValidatorSets {
    event Rotated(uint64 indexed epoch, address[] validators);

    error EmptySet();
    error TooManyValidators(uint256 count);
    error NotAscending(address previous, address next);
    error NotAnActiveValidator(address validator);
    error UnknownEpoch(uint64 epoch);
    error EpochRetired(uint64 epoch, uint64 currentEpoch);
    error QuorumNotReached(uint256 signers, uint256 quorum);
    error UnknownSigner(uint256 index);
    error SignatureCountMismatch(uint256 bytesGiven, uint256 bytesWanted);
    error InvalidSignature(uint256 index);
    error InvalidParameter();

    /// @notice Begin a new epoch with `validators`, in strictly ascending order, each active in NodeRegistry.
    function rotate(address[] calldata validators) external returns (uint64 epoch);

    /// @notice Begin a new epoch without these members, at once and without grace: what the old set has signed and not yet
    /// settled must be signed again. Keeps the epoch where none of them is a member of it, or nobody would be left. A grace
    /// of the previous epoch ends where one of them is a member of that. SlashingManager and Disputes only.
    function remove(address[] calldata validators) external returns (uint64 epoch);

    /// @notice Begin a new epoch with the same members, at once and without grace. Settlement only, where a batch is rolled
    /// back.
    function renew() external returns (uint64 epoch);

    /// @notice Reverts unless a quorum of the set of `epoch`, however old, signed `digest`.
    function verify(bytes32 digest, uint64 epoch, uint256 bitmap, bytes calldata signatures) external view;

    /// @notice The account whose code holds the set of `epoch` (see Certificates); reverts unless that is the current epoch, or
    /// the previous one within the grace period: a batch that was signed just before a rotation still settles, a set that has
    /// left signs nothing any more.
    function liveStoreOf(uint64 epoch) external view returns (address);

    function epoch() external view returns (uint64);

    /// @notice Whether certificates of this epoch are taken now.
    function isLive(uint64 epoch) external view returns (bool);

    /// @notice The members of an epoch, ascending.
    function validatorsOf(uint64 epoch) external view returns (address[] memory);

    function quorumOf(uint64 epoch) external view returns (uint256);

    function isMember(uint64 epoch, address account) external view returns (bool);

    /// @notice Second at which the epoch's successor began; zero for the current epoch.
    function retiredAt(uint64 epoch) external view returns (uint64);
}
