// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";

import {Leaves} from "../src/libraries/Leaves.sol";
import {Signatures} from "../src/libraries/Signatures.sol";
import {TypedData} from "../src/libraries/TypedData.sol";
import {Fixture} from "./support/Fixture.sol";

/// @notice The same vectors as test/unit/chain/vectors.test.ts: TypeScript and Solidity must hash alike.
contract VectorsTest is Fixture {
    string internal eip712;
    string internal merkle;

    function setUp() public {
        eip712 = vm.readFile("../test/vectors/chain-eip712.json");
        merkle = vm.readFile("../test/vectors/chain-merkle.json");
    }

    function testTheDomainIsTheContracts() public {
        vm.chainId(vm.parseJsonUint(eip712, ".domain.chainId"));
        deployAll();
        bytes32 rebuilt = _separator(vm.parseJsonUint(eip712, ".domain.chainId"), address(settlement));
        assertEq(settlement.domainSeparator(), rebuilt);
    }

    function testDomainSeparator() public view {
        address verifying = vm.parseJsonAddress(eip712, ".domain.settlement");
        bytes32 rebuilt = _separator(vm.parseJsonUint(eip712, ".domain.chainId"), verifying);
        assertEq(rebuilt, _word(".domain.separator"));
    }

    function testReceipt() public view {
        bytes32 digest = TypedData.digest(_word(".domain.separator"), TypedData.hash(_receipt()));
        assertEq(digest, _word(".receipt.digest"));
    }

    function testCompactSignature() public view {
        address signer =
            this.recover(_word(".receipt.digest"), _fromHex(vm.parseJsonString(eip712, ".receipt.compactSignature")));
        assertEq(signer, _receipt().worker);
    }

    function testAttestation() public view {
        TypedData.Attestation memory attestation = TypedData.Attestation(
            _word(".attestation.message.validationId"),
            _word(".attestation.message.votesRoot"),
            vm.parseJsonAddress(eip712, ".attestation.message.validator")
        );
        bytes32 digest = TypedData.digest(_word(".domain.separator"), TypedData.hash(attestation));
        assertEq(digest, _word(".attestation.digest"));
    }

    function testBatchHeaders() public view {
        _checkHeader(".batchHeader");
        _checkHeader(".largestHeader");
    }

    function testClaimTo() public {
        vm.chainId(vm.parseJsonUint(eip712, ".domain.chainId"));
        deployAll();
        bytes32 message = keccak256(
            abi.encode(
                distributor.CLAIM_TO_TYPEHASH(),
                vm.parseJsonAddress(eip712, ".claimTo.message.account"),
                vm.parseJsonAddress(eip712, ".claimTo.message.to"),
                _number(".claimTo.message.nonce"),
                uint64(_number(".claimTo.message.expiresAt"))
            )
        );
        address verifying = vm.parseJsonAddress(eip712, ".claimTo.distributor");
        bytes32 separator = _separator(vm.parseJsonUint(eip712, ".domain.chainId"), verifying);
        assertEq(TypedData.digest(separator, message), _word(".claimTo.digest"));
    }

    function testSpentLeafAndItsTree() public view {
        address requester = vm.parseJsonAddress(merkle, ".spent.requester");
        uint256 spent = vm.parseJsonUint(merkle, ".spent.cumulativeWei");
        bytes32 leaf = Leaves.hashSpent(requester, spent);
        assertEq(leaf, vm.parseJsonBytes32(merkle, ".spent.leaf"));
        bytes32 root = vm.parseJsonBytes32(merkle, ".balanceTree.root");
        bytes32[] memory proof = vm.parseJsonBytes32Array(merkle, ".balanceTree.spentProof");
        assertTrue(MerkleProof.verify(proof, root, leaf), "spent");
        assertTrue(!MerkleProof.verify(proof, root, Leaves.hashBalance(requester, spent)), "spent is no balance");
        proof = vm.parseJsonBytes32Array(merkle, ".balanceTree.balanceProof");
        assertTrue(MerkleProof.verify(proof, root, vm.parseJsonBytes32(merkle, ".balance.leaf")), "balance");
    }

    function testVoteLeaf() public view {
        Leaves.Vote memory vote = Leaves.Vote(
            vm.parseJsonBytes32(merkle, ".vote.taskId"),
            uint32(vm.parseJsonUint(merkle, ".vote.attempt")),
            vm.parseJsonBytes32(merkle, ".vote.receiptDigest"),
            uint8(vm.parseJsonUint(merkle, ".vote.verdict")),
            vm.parseJsonBytes32(merkle, ".vote.outputDigest")
        );
        assertEq(uint256(vote.verdict), Leaves.VERDICT_REJECT);
        assertEq(Leaves.hash(vote), vm.parseJsonBytes32(merkle, ".vote.leaf"));
    }

    function testTaskLeaf() public view {
        Leaves.Task memory task = Leaves.Task(
            vm.parseJsonBytes32(merkle, ".task.taskId"),
            uint32(vm.parseJsonUint(merkle, ".task.attempt")),
            vm.parseJsonBytes32(merkle, ".task.receiptDigest"),
            vm.parseJsonAddress(merkle, ".task.worker"),
            vm.parseJsonAddress(merkle, ".task.requester"),
            vm.parseJsonUint(merkle, ".task.rewardWei"),
            vm.parseJsonBytes32(merkle, ".task.statementHash")
        );
        assertEq(Leaves.hash(task), vm.parseJsonBytes32(merkle, ".task.leaf"));
    }

    function testMissedLeafAndItsClaim() public view {
        Leaves.Missed memory missed = Leaves.Missed(
            vm.parseJsonBytes32(merkle, ".missed.taskId"),
            uint32(vm.parseJsonUint(merkle, ".missed.attempt")),
            vm.parseJsonAddress(merkle, ".missed.worker"),
            uint64(vm.parseJsonUint(merkle, ".missed.deadlineMs"))
        );
        assertEq(Leaves.hash(missed), vm.parseJsonBytes32(merkle, ".missed.leaf"));
        bytes32 claim = TypedData.hash(TypedData.Claim(missed.taskId, missed.attempt, missed.worker, missed.deadlineMs));
        assertEq(TypedData.digest(_word(".domain.separator"), claim), _word(".claim.digest"));
    }

    function testBalanceLeaf() public view {
        bytes32 leaf = Leaves.hashBalance(
            vm.parseJsonAddress(merkle, ".balance.account"), vm.parseJsonUint(merkle, ".balance.cumulativeWei")
        );
        assertEq(leaf, vm.parseJsonBytes32(merkle, ".balance.leaf"));
    }

    function testEveryProofOfEveryTree() public view {
        bytes32[] memory leaves = vm.parseJsonBytes32Array(merkle, ".leaves");
        string[5] memory trees = [".trees[0]", ".trees[1]", ".trees[2]", ".trees[3]", ".trees[4]"];
        for (uint256 t = 0; t < trees.length; ++t) {
            bytes32 root = vm.parseJsonBytes32(merkle, string.concat(trees[t], ".root"));
            uint256 count = vm.parseJsonUint(merkle, string.concat(trees[t], ".count"));
            for (uint256 i = 0; i < count; ++i) {
                string memory key = string.concat(trees[t], ".proofs[", _digit(i), "]");
                bytes32[] memory proof = vm.parseJsonBytes32Array(merkle, key);
                assertTrue(MerkleProof.verify(proof, root, leaves[i]), key);
                assertTrue(!MerkleProof.verify(proof, root, keccak256(abi.encode(leaves[i]))), "tampered twin");
            }
        }
    }

    function hashHeader(TypedData.BatchHeader calldata header) external view returns (bytes32) {
        return TypedData.digest(_word(".domain.separator"), TypedData.hash(header));
    }

    function recover(bytes32 digest, bytes calldata signature) external pure returns (address) {
        return Signatures.recover(digest, signature);
    }

    function _checkHeader(string memory key) private view {
        TypedData.BatchHeader memory header;
        header.sequence = uint64(_number(string.concat(key, ".message.sequence")));
        header.previousHash = _word(string.concat(key, ".message.previousHash"));
        header.epoch = uint64(_number(string.concat(key, ".message.epoch")));
        header.taskRoot = _word(string.concat(key, ".message.taskRoot"));
        header.balanceRoot = _word(string.concat(key, ".message.balanceRoot"));
        header.taskCount = uint32(_number(string.concat(key, ".message.taskCount")));
        header.settledWei = _number(string.concat(key, ".message.settledWei"));
        header.createdAt = uint64(_number(string.concat(key, ".message.createdAt")));
        assertEq(this.hashHeader(header), _word(string.concat(key, ".digest")));
    }

    function _receipt() private view returns (TypedData.Receipt memory receipt) {
        receipt.taskId = _word(".receipt.message.taskId");
        receipt.attempt = uint32(_number(".receipt.message.attempt"));
        receipt.worker = vm.parseJsonAddress(eip712, ".receipt.message.worker");
        receipt.modelDigest = _word(".receipt.message.modelDigest");
        receipt.imageDigest = _word(".receipt.message.imageDigest");
        receipt.codeDigest = _word(".receipt.message.codeDigest");
        receipt.inputDigest = _word(".receipt.message.inputDigest");
        receipt.outputDigest = _word(".receipt.message.outputDigest");
        receipt.runtime = vm.parseJsonString(eip712, ".receipt.message.runtime");
        receipt.startedAtMs = uint64(_number(".receipt.message.startedAtMs"));
        receipt.endedAtMs = uint64(_number(".receipt.message.endedAtMs"));
    }

    function _separator(uint256 chainId, address verifying) private pure returns (bytes32) {
        bytes32 domainType =
            keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
        return keccak256(abi.encode(domainType, keccak256("Inferium"), keccak256("1"), chainId, verifying));
    }

    function _word(string memory key) private view returns (bytes32) {
        return vm.parseJsonBytes32(eip712, key);
    }

    function _number(string memory key) private view returns (uint256) {
        return vm.parseJsonUint(eip712, key);
    }

    function _fromHex(string memory text) private pure returns (bytes memory) {
        return vm.parseBytes(text);
    }

    function _digit(uint256 value) private pure returns (string memory) {
        return string(abi.encodePacked(uint8(48 + value)));
    }
}
