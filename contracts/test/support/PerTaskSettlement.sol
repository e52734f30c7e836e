// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IValidatorSets} from "../../src/interfaces/IValidatorSets.sol";
import {Certificates} from "../../src/libraries/Certificates.sol";
import {Leaves} from "../../src/libraries/Leaves.sol";

/// @notice What `npm run gas` compares with: one transaction for each task, its quorum's signatures checked, everybody
/// credited in storage. Not deployed anywhere else.
contract PerTaskSettlement {
    IValidatorSets public immutable validatorSets;

    mapping(bytes32 taskId => bool) public isSettled;
    mapping(address account => uint256) public balanceOf;
    mapping(address requester => uint256) public spentOf;

    error SettledBefore(bytes32 taskId);
    error WrongSplit();

    constructor(IValidatorSets validatorSets_) {
        validatorSets = validatorSets_;
    }

    function settle(
        Leaves.Task calldata task,
        address[] calldata payees,
        uint256[] calldata amounts,
        uint64 epoch,
        uint256 bitmap,
        bytes calldata signatures
    ) external {
        if (isSettled[task.taskId]) revert SettledBefore(task.taskId);
        bytes32 digest = keccak256(abi.encode(Leaves.hash(task), payees, amounts));
        Certificates.verify(digest, validatorSets.liveStoreOf(epoch), bitmap, signatures);
        isSettled[task.taskId] = true;
        spentOf[task.requester] += task.rewardWei;
        uint256 sum = 0;
        for (uint256 i = 0; i < payees.length; ++i) {
            balanceOf[payees[i]] += amounts[i];
            sum += amounts[i];
        }
        if (sum != task.rewardWei) revert WrongSplit();
    }
}
