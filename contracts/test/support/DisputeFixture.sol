// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDisputes} from "../../src/interfaces/IDisputes.sol";
import {INodeRegistry} from "../../src/interfaces/INodeRegistry.sol";
import {Evidence} from "../../src/libraries/Evidence.sol";
import {Leaves} from "../../src/libraries/Leaves.sol";
import {TypedData} from "../../src/libraries/TypedData.sol";
import {EvidenceFixture} from "./EvidenceFixture.sol";

/// @notice Seven bonded validators, of which the first approved a result that a stranger doubts; the jury has three.
abstract contract DisputeFixture is EvidenceFixture {
    uint8 internal constant RIGHT = 1;
    uint8 internal constant WRONG = 2;
    bytes32 internal constant SALT = keccak256("salt");

    function setUp() public virtual override {
        super.setUp();
        for (uint256 i = 0; i < VALIDATORS; ++i) {
            bondNode(validators[i], INodeRegistry.Role.Validator, VALIDATOR_BOND);
        }
    }

    /// @notice Opened by the stranger against the first `approvers` validators.
    function open(uint256 approvers) internal returns (bytes32) {
        return openBy(STRANGER, receiptOf("doubted"), approvers);
    }

    function openBy(address challenger, TypedData.Receipt memory receipt, uint256 approvers)
        internal
        returns (bytes32)
    {
        bytes memory signature = signReceipt(receipt);
        Evidence.SignedVote[] memory approvals = votesOf(receipt, approvers, Leaves.VERDICT_ACCEPT);
        fund(challenger, address(disputes), DISPUTE_BOND);
        vm.prank(challenger);
        return disputes.open(receipt, signature, 1, approvals);
    }

    function draw(bytes32 id) internal returns (address[] memory) {
        vm.roll(block.number + 3);
        disputes.draw(id);
        return disputes.juryOf(id);
    }

    function commitAs(address juror, bytes32 id, uint8 verdict) internal {
        bytes32 commitment = keccak256(abi.encode(id, juror, verdict, SALT));
        vm.prank(juror);
        disputes.commit(id, commitment);
    }

    function revealAs(address juror, bytes32 id, uint8 verdict) internal {
        vm.prank(juror);
        disputes.reveal(id, verdict, SALT);
    }

    /// @notice Where not all jurors have committed, their time has to pass.
    function endCommitting(bytes32 id) internal {
        IDisputes.Dispute memory dispute = disputes.disputeOf(id);
        if (dispute.state == IDisputes.State.Committing) vm.warp(uint256(dispute.deadline) + 1);
    }

    /// @notice The jury votes as given, verdict zero for who says nothing; then somebody counts.
    function ruleWith(bytes32 id, uint8[3] memory verdicts) internal {
        address[] memory jury = draw(id);
        for (uint256 i = 0; i < jury.length; ++i) {
            if (verdicts[i] != 0) commitAs(jury[i], id, verdicts[i]);
        }
        endCommitting(id);
        for (uint256 i = 0; i < jury.length; ++i) {
            if (verdicts[i] != 0) revealAs(jury[i], id, verdicts[i]);
        }
        vm.warp(block.timestamp + 12 hours);
        disputes.rule(id);
    }

    function executeLater(bytes32 id) internal {
        vm.warp(block.timestamp + 2 days + 1);
        disputes.execute(id);
    }
}
