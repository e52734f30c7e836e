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

    /// @dev One function, since forge walks anew for each.
    function invariantAll() public view {
        _stakeIsBondedLessWithdrawnLessSlashed();
        _claimedWithinSettledWithinDeposited();
        _escrowHoldsDepositsLessPayments();
        _sequenceGrowsByOne();
        assertTrue(!handler.claimFell(), "a claim fell");
        assertTrue(!handler.anyDisqualifiedIsActive(), "disqualified and active");
        assertTrue(handler.supply() <= 250_000_000 ether, "supply above the cap");
    }

    function _stakeIsBondedLessWithdrawnLessSlashed() private view {
        (uint256 active, uint256 unbonding) = handler.stakes();
        uint256 held = handler.bonded() - handler.withdrawn() - handler.slashed();
        assertTrue(active + unbonding == held, "active + unbonding = bonded - withdrawn - slashed");
        assertTrue(handler.registryTokens() == held + handler.proceeds(), "the registry holds stake and proceeds");
    }

    function _claimedWithinSettledWithinDeposited() private view {
        (, uint256 settledWei) = handler.last();
        assertTrue(handler.paid() <= settledWei, "claimed <= settled");
        assertTrue(settledWei <= handler.deposited(), "settled <= deposited");
        assertTrue(handler.sumOfBalances() == settledWei, "balances add up to what is settled");
    }

    function _escrowHoldsDepositsLessPayments() private view {
        assertTrue(handler.escrowTokens() == handler.deposited() - handler.paid(), "escrow = deposits - payments");
    }

    function _sequenceGrowsByOne() private view {
        (uint64 sequence, uint256 settledWei) = handler.last();
        assertTrue(sequence == handler.settledBatches(), "one number for each batch");
        assertTrue(settledWei == handler.lastSettledWei(), "the last total");
    }
}
