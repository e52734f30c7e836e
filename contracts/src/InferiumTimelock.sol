// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";

/// @title InferiumTimelock
/// @notice The admin of every contract: what the governor's votes decide waits here, so that whoever disagrees can leave first, and is
/// then executed by anybody. It administers itself. No vote can take the wait away, nor make it so long that no later one counts.
contract InferiumTimelock is TimelockController {
    uint256 private constant MAX_DELAY = 30 days;

    /// @notice A day; less where it began with less, as in a trial.
    uint256 public immutable minDelay;

    error InvalidDelay(uint256 given);

    constructor(uint256 delay, address[] memory proposers, address[] memory executors)
        TimelockController(delay, proposers, executors, address(0))
    {
        if (delay > MAX_DELAY) revert InvalidDelay(delay);
        minDelay = delay < 1 days ? delay : 1 days;
    }

    /// @notice By a vote, within the bounds.
    function updateDelay(uint256 newDelay) public override {
        if (newDelay < minDelay || newDelay > MAX_DELAY) revert InvalidDelay(newDelay);
        super.updateDelay(newDelay);
    }
}
