{{/*
The chain as the pods are told of it, as YAML: the given one, or the development chain of this release (trial-chain.yaml), whose
contracts stand where the first development account deploys them.
*/}}
{{- define "inferium.chain" -}}
{{- $chain := .Values.chain -}}
{{- $on := $chain.embedded.enabled -}}
rpcUrl: {{ $chain.rpcUrl | default (ternary (printf "http://%s-chain.%s.svc:%d" (include "inferium.fullname" .) .Release.Namespace (int $chain.embedded.port)) "" $on) | quote }}
chainId: {{ int64 ($chain.chainId | default (ternary 31337 0 $on)) }}
treasury: {{ $chain.treasury | default (ternary "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720" "" $on) | quote }}
port: {{ int (ternary $chain.embedded.port .Values.networkPolicy.chainPort $on) }}
addresses: {{ if $on }}{{ include "inferium.trialAddresses" . | fromYaml | toJson }}{{ else }}{{ toJson $chain.addresses }}{{ end }}
{{- end -}}

{{- define "inferium.trialAddresses" -}}
token: "0x5FbDB2315678afecb367f032d93F642f64180aa3"
registry: "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512"
validatorSets: "0x9fE46736679d2D9a65F0992F2272dE9f3c7fa6e0"
escrow: "0xCf7Ed3AccA5a467e9e704C703E8D87F634fB0Fc9"
settlement: "0xDc64a140Aa3E981100a9becA4E685f962f0cF6C9"
distributor: "0x5FC8d32690cc91D4c39d9d3abcBD16989F875707"
slashing: "0x0165878A594ca255338adfa4d48449f69242Eb8F"
disputes: "0xa513E6E4b8f2a923D98304ec87F64353C4D5C853"
agentRevenue: "0x2279B7A0a67DB372996a5FaB50D91eAA73d2eBe6"
timelock: "0x8A791620dd6260079BF849Dc5567aDC3F2FdC318"
governor: "0x610178dA211FEF7D417bC0e6FeD39F05609AD788"
modelRegistry: "0xB7f8BC63BbcaD18155201308C8f3540b07f84F5e"
zkVerifier: "0xA51c1fc2f0D1a1b8494Ed1FE312d7C3a78Ed91C0"
zkFaults: "0x0DCd1Bf9A1b36cE34237eEaFef220932846BCD82"
{{- end -}}

{{/* What is wrong with chain.embedded beside the other values. */}}
{{- define "inferium.checkTrial" -}}
{{- $chain := .Values.chain -}}
{{- if $chain.embedded.enabled -}}
  {{- if ne .Values.mode "hub" -}}{{- fail "chain.embedded.enabled is true in member mode; expected false: the chain is the hub's" -}}{{- end -}}
  {{- if or $chain.addresses $chain.existingConfigMap -}}{{- fail "chain.embedded.enabled is true beside chain.addresses or chain.existingConfigMap; expected one of them: a trial's chain has contracts of its own" -}}{{- end -}}
  {{- $validators := 0 -}}
  {{- range .Values.members -}}{{- if eq (.role | default "Worker") "Validator" -}}{{- $validators = add1 $validators -}}{{- end -}}{{- end -}}
  {{- if eq (int $validators) 0 -}}{{- fail "chain.embedded.enabled is true but no member is a Validator; expected at least one: validators certify every batch" -}}{{- end -}}
{{- end -}}
{{- end -}}
