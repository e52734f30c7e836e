// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Handler} from "./support/Handler.sol";
import {TestBase} from "./support/TestBase.sol";

/// @notice What holds after any sequence of calls.
contract InvariantsTest is TestBase {
    Handler internal handler;

    function setUp() public {
        handler = new Handler();
    }

    /// @dev Forge reads this to learn what to call.
    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function invariantStakeIsBondedLessWithdrawnLessSlashed() public view {
        (uint256 active, uint256 unbonding) = handler.stakes();
        assertEq(active + unbonding, handler.bonded() - handler.withdrawn() - handler.slashed());
        assertEq(handler.registryTokens(), active + unbonding);
    }

    function invariantClaimedWithinSettledWithinDeposited() public view {
        (, uint256 settledWei) = handler.last();
        assertTrue(handler.paid() <= settledWei, "claimed <= settled");
        assertTrue(settledWei <= handler.deposited(), "settled <= deposited");
        assertEq(handler.sumOfBalances(), settledWei);
    }

    function invariantEscrowHoldsDepositsLessPayments() public view {
        assertEq(handler.escrowTokens(), handler.deposited() - handler.paid());
    }

    function invariantSequenceGrowsByOne() public view {
        (uint64 sequence, uint256 settledWei) = handler.last();
        assertEq(sequence, handler.settledBatches());
        assertEq(settledWei, handler.lastSettledWei());
    }

    function invariantClaimsNeverFall() public view {
        assertTrue(!handler.claimFell(), "claims are monotonic");
    }

    function invariantDisqualifiedIsNeverActive() public view {
        assertTrue(!handler.anyDisqualifiedIsActive(), "disqualified and active");
    }

    function invariantSupplyStaysWithinTheCap() public view {
        assertTrue(handler.supply() <= 250_000_000 ether, "cap");
    }
}
