// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AgentRevenue} from "../../src/AgentRevenue.sol";
import {Disputes} from "../../src/Disputes.sol";
import {IFRToken} from "../../src/IFRToken.sol";
import {NodeRegistry} from "../../src/NodeRegistry.sol";
import {RewardDistributor} from "../../src/RewardDistributor.sol";
import {Settlement} from "../../src/Settlement.sol";
import {SlashingManager} from "../../src/SlashingManager.sol";
import {TaskEscrow} from "../../src/TaskEscrow.sol";
import {ValidatorSets} from "../../src/ValidatorSets.sol";
import {IAgentRevenue} from "../../src/interfaces/IAgentRevenue.sol";
import {IDisputes} from "../../src/interfaces/IDisputes.sol";
import {INodeRegistry} from "../../src/interfaces/INodeRegistry.sol";
import {ISlashingManager} from "../../src/interfaces/ISlashingManager.sol";
import {TypedData} from "../../src/libraries/TypedData.sol";
import {TestBase} from "./TestBase.sol";

/// @notice All contracts as a deployment makes them, seven validators with known keys, and their signatures.
abstract contract Fixture is TestBase {
    uint256 internal constant VALIDATORS = 7;
    uint256 internal constant QUORUM = 5;
    uint128 internal constant WORKER_BOND = 10_000 ether;
    uint128 internal constant VALIDATOR_BOND = 50_000 ether;
    uint64 internal constant WORKER_DELAY = 14 days;
    uint64 internal constant VALIDATOR_DELAY = 21 days;
    uint64 internal constant GRACE = 1 hours;
    uint64 internal constant EVIDENCE = 14 days;
    uint24 internal constant CHALLENGE = 1 days;
    uint64 internal constant WITHDRAWAL = 4 days;
    uint128 internal constant DISPUTE_BOND = 1_000 ether;
    address internal constant TREASURY = address(0x7E);
    address internal constant GUARDIAN = address(0x6A);
    address internal constant REQUESTER = address(0xE1);
    address internal constant STRANGER = address(0x57);

    IFRToken internal token;
    NodeRegistry internal registry;
    ValidatorSets internal sets;
    TaskEscrow internal escrow;
    Settlement internal settlement;
    RewardDistributor internal distributor;
    SlashingManager internal slashing;
    Disputes internal disputes;
    AgentRevenue internal revenue;
    /// @dev The last header that `settle` settled, which claims name once it is final.
    TypedData.BatchHeader internal settled;
    /// @dev Keys of the genesis set, in ascending order of address.
    uint256[] internal keys;
    address[] internal validators;

    function deployAll() internal {
        vm.warp(1_800_000_000);
        _makeValidators();
        uint256 nonce = vm.getNonce(address(this));
        address settlementAt = vm.computeCreateAddress(address(this), nonce + 4);
        address distributorAt = vm.computeCreateAddress(address(this), nonce + 5);
        address[] memory judges = new address[](2);
        judges[0] = vm.computeCreateAddress(address(this), nonce + 6);
        judges[1] = vm.computeCreateAddress(address(this), nonce + 7);
        address[] memory removers = new address[](3);
        (removers[0], removers[1], removers[2]) = (judges[0], judges[1], settlementAt);
        address me = address(this);
        token = IFRToken(deployToken());
        registry = NodeRegistry(deploy("NodeRegistry", abi.encode(token, me, judges, registryParameters())));
        sets =
            ValidatorSets(deploy("ValidatorSets", abi.encode(registry, settlementAt, me, removers, GRACE, validators)));
        escrow = TaskEscrow(deploy("TaskEscrow", abi.encode(token, distributorAt, settlementAt, WITHDRAWAL)));
        settlement = Settlement(deploy("Settlement", abi.encode(sets, escrow, judges[0], me, GUARDIAN, CHALLENGE)));
        distributor = RewardDistributor(deploy("RewardDistributor", abi.encode(settlement, escrow, registry)));
        slashing = SlashingManager(
            deploy("SlashingManager", abi.encode(settlement, registry, sets, me, slashingParameters()))
        );
        _deployLater();
    }

    /// @dev Apart, for the compiler's stack.
    function _deployLater() private {
        address me = address(this);
        disputes = Disputes(
            deploy("Disputes", abi.encode(token, settlement, registry, sets, me, GUARDIAN, disputeParameters()))
        );
        revenue = AgentRevenue(deploy("AgentRevenue", abi.encode(token, registry, sets, me, TREASURY, agentSplit())));
    }

    /// @notice A constructor that must refuse. Not by expectRevert, which would end the test with it.
    function assertNotDeployable(string memory name, bytes memory arguments, bytes memory refusal) internal {
        bytes memory code = bytes.concat(vm.getCode(artifactOf(name)), arguments);
        address created;
        bytes memory answer;
        assembly ("memory-safe") {
            created := create(0, add(code, 0x20), mload(code))
            answer := mload(0x40)
            mstore(answer, returndatasize())
            returndatacopy(add(answer, 0x20), 0, returndatasize())
            mstore(0x40, add(answer, and(add(returndatasize(), 0x3f), not(0x1f))))
        }
        assertEq(created, address(0));
        assertEq(keccak256(answer), keccak256(refusal));
    }

    /// @dev Our own token; PublicToken.t.sol takes another.
    function deployToken() internal virtual returns (address) {
        return deploy("IFRToken", abi.encode(address(this), new IFRToken.Allocation[](0)));
    }

    function registryParameters() internal pure returns (INodeRegistry.Parameters memory) {
        return INodeRegistry.Parameters(WORKER_BOND, VALIDATOR_BOND, WORKER_DELAY, VALIDATOR_DELAY, 3_000);
    }

    function slashingParameters() internal pure returns (ISlashingManager.Parameters memory) {
        return ISlashingManager.Parameters(2, 1_000, 100, EVIDENCE);
    }

    function disputeParameters() internal pure returns (IDisputes.Parameters memory) {
        return IDisputes.Parameters(DISPUTE_BOND, 3, 12 hours, 12 hours, 2 days, uint32(EVIDENCE), 1_000);
    }

    function agentSplit() internal pure returns (IAgentRevenue.Split memory) {
        return IAgentRevenue.Split(6_000, 2_500, 1_000, 500);
    }

    /// @notice Gives `from` tokens and lets `spender` take them.
    function fund(address from, address spender, uint256 amount) internal {
        token.mint(from, amount);
        vm.prank(from);
        token.approve(spender, amount);
    }

    function bondNode(address node, INodeRegistry.Role role, uint256 amount) internal {
        fund(node, address(registry), amount);
        vm.prank(node);
        registry.bond(node, role, node, amount);
    }

    function deposit(uint256 amount) internal {
        fund(REQUESTER, address(escrow), amount);
        vm.prank(REQUESTER);
        escrow.deposit(amount);
    }

    function compact(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (bytes32 r, bytes32 vs) = vm.signCompact(key, digest);
        return bytes.concat(r, vs);
    }

    /// @notice Signatures of the members in `bitmap`, in order.
    function certify(bytes32 digest, uint256 bitmap) internal view returns (bytes memory signatures) {
        for (uint256 i = 0; i < keys.length; ++i) {
            if ((bitmap >> i) & 1 == 1) signatures = bytes.concat(signatures, compact(keys[i], digest));
        }
    }

    /// @notice The next header in the chain, with a balance tree of one leaf or whatever root is given.
    function nextHeader(bytes32 balanceRoot, uint256 settledWei)
        internal
        view
        returns (TypedData.BatchHeader memory header)
    {
        (uint64 sequence, bytes32 last,) = settlement.lastBatch();
        header.sequence = sequence + 1;
        header.previousHash = last;
        header.epoch = sets.epoch();
        header.taskRoot = keccak256("tasks");
        header.balanceRoot = balanceRoot;
        header.taskCount = 1;
        header.settledWei = settledWei;
        header.createdAt = uint64(block.timestamp);
    }

    function settle(TypedData.BatchHeader memory header) internal {
        bytes32 digest = settlement.hashHeader(header);
        settlement.settle(header, 0x1f, certify(digest, 0x1f));
        settled = header;
    }

    function _makeValidators() private {
        for (uint256 i = 0; i < VALIDATORS; ++i) {
            keys.push(uint256(keccak256(abi.encode("validator", i))));
        }
        // Insertion sort: seven keys.
        for (uint256 i = 1; i < VALIDATORS; ++i) {
            for (uint256 j = i; j > 0 && vm.addr(keys[j]) < vm.addr(keys[j - 1]); --j) {
                (keys[j], keys[j - 1]) = (keys[j - 1], keys[j]);
            }
        }
        for (uint256 i = 0; i < VALIDATORS; ++i) {
            validators.push(vm.addr(keys[i]));
        }
    }
}
