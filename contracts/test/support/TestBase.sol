// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Vm} from "./Vm.sol";

/// @notice Assertions and inputs. A failed one reverts, which is what forge looks for.
abstract contract TestBase {
    Vm internal constant vm = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);

    error NotEqual(bytes32 got, bytes32 want);
    error NotTrue(string what);

    /// @dev Not `new`: a copy of all the code in each test contract would take the compiler far longer.
    function deploy(string memory name, bytes memory arguments) internal returns (address) {
        return vm.deployCode(artifactOf(name), arguments);
    }

    function artifactOf(string memory name) internal pure returns (string memory) {
        return string.concat(name, ".sol:", name);
    }

    function assertEq(uint256 got, uint256 want) internal pure {
        assertEq(bytes32(got), bytes32(want));
    }

    function assertEq(address got, address want) internal pure {
        assertEq(bytes32(bytes20(got)), bytes32(bytes20(want)));
    }

    function assertEq(bytes32 got, bytes32 want) internal pure {
        if (got != want) revert NotEqual(got, want);
    }

    function assertTrue(bool condition, string memory what) internal pure {
        if (!condition) revert NotTrue(what);
    }

    /// @notice Folds any number into a range, for fuzz inputs.
    function bound(uint256 value, uint256 low, uint256 high) internal pure returns (uint256) {
        uint256 span = high - low;
        return span == type(uint256).max ? value : low + value % (span + 1);
    }
}
