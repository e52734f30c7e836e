// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Handler} from "./support/Handler.sol";
import {TestBase} from "./support/TestBase.sol";

/// @notice What holds after any sequence of calls: the ten invariants of the design. Those about single steps (3 claims only
/// rise, 7 no slash beyond the slashable, 8 no withdrawal in the fault window, 10 dust) are checked by the handler at each step.
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
        string memory violation = handler.violation();
        assertTrue(bytes(violation).length == 0, violation);
        assertTrue(handler.checkEscrow(), "1: escrow = deposits - withdrawals - claims");
        assertTrue(handler.checkTotals(), "2: claimed <= settled <= deposits");
        assertTrue(handler.checkSequence(), "4: one number for each batch");
        assertTrue(handler.checkStakes(), "5: active + unbonding = bonded - withdrawn - slashed");
        assertTrue(handler.checkBans(), "6: disqualified and active");
        assertTrue(handler.checkSupply(), "9: supply above the cap");
        assertTrue(handler.checkAgents(), "agents' revenue is there");
        assertTrue(handler.checkDisputes(), "bonds are there");
    }
}
