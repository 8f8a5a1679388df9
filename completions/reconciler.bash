# bash completion of reconciler.  Made by `make docs` from reconciler/options.py; changes belong there.
_reconciler()
{
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words=
    if [[ $word == '=' ]]; then  # --format=json is three words here
        word=
    elif [[ $before == '=' ]]; then
        before=${COMP_WORDS[COMP_CWORD-2]}
    fi
    COMPREPLY=()
    if [[ $COMP_CWORD -eq 1 ]]; then
        mapfile -t COMPREPLY < <(compgen -W "check plan run drift outputs status explain approve pause resume trigger destroy doctor history iam-policy kinds schema events sandbox --help --version" -- "$word")
        return
    fi
    case "${COMP_WORDS[1]} $before" in
        *" "--delays) words="fast aws" ;;
        *" "--format) words="text json" ;;
        *" "--half) words="read write both" ;;
        *" "--log-format) words="auto console json" ;;
        *" "--log-level) words="debug info warning error" ;;
        *" "--config|*" "--ready-file|*" "--state-dir)
            compopt -o filenames 2>/dev/null
            mapfile -t COMPREPLY < <(compgen -f -- "$word")
            return ;;
        *" "--account|*" "--assume-role|*" "--endpoint-url|*" "--faults|*" "--for|*" "--grace|*" "--heartbeat|*" "--last|*" "--lock-wait|*" "--metrics-file|*" "--part|*" "--port|*" "--profile|*" "--reason|*" "--region|*" "--since|*" "--stack|*" "--timeout|*" "--var|*" "--workers) return ;;
        "check "*) words="-h --help --json --format --config --var --region --log-format --log-level" ;;
        "plan "*) words="-h --help --json --format --config --var --region --endpoint-url --profile --state-dir --workers --log-format --log-level --detailed-exitcode --allow-empty --allow-shrink --read-only --assume-role" ;;
        "run "*) words="-h --help --json --format --config --var --region --endpoint-url --profile --state-dir --workers --grace --log-format --log-level --once --detailed-exitcode --allow-empty --allow-shrink --timeout --lock-wait --heartbeat --metrics-file" ;;
        "drift "*) words="-h --help --json --format --config --var --region --endpoint-url --profile --state-dir --workers --log-format --log-level --read-only --assume-role" ;;
        "outputs "*) words="-h --help --json --format --config --var --region --endpoint-url --profile --state-dir --workers --log-format --log-level --read-only --assume-role" ;;
        "status "*) words="-h --help --json --format --config --var --region --state-dir --log-format --log-level --stack --exit-code" ;;
        "explain "*) words="-h --help --json --format --config --var --region --endpoint-url --profile --state-dir --workers --log-format --log-level --read-only --assume-role" ;;
        "approve "*) words="-h --help --json --format --config --var --region --endpoint-url --profile --state-dir --workers --log-format --log-level --reason --for --allow-empty --allow-shrink" ;;
        "pause "*) words="-h --help --json --format --config --var --region --state-dir --log-format --log-level --reason --for" ;;
        "resume "*) words="-h --help --json --format --config --var --region --state-dir --log-format --log-level" ;;
        "trigger "*) words="-h --help --json --format --config --var --region --state-dir --log-format --log-level" ;;
        "destroy "*) words="-h --help --json --format --config --var --region --endpoint-url --profile --state-dir --workers --grace --log-format --log-level --protected --yes --timeout --lock-wait" ;;
        "doctor "*) words="amnesia -h --help --json --format --config --var --region --endpoint-url --profile --state-dir --workers --log-format --log-level" ;;
        "history "*) words="-h --help --json --format --config --var --region --state-dir --log-format --log-level --last --since --stack" ;;
        "iam-policy "*) words="-h --help --json --format --config --var --region --log-format --log-level --half --all --part --account" ;;
        "kinds "*) words="global-network site link device connection core-network vpc subnet prefix-list security-group key-pair placement-group launch-template capacity-reservation iam-role instance-profile instance volume network-interface internet-gateway egress-only-internet-gateway elastic-ip nat-gateway route-table network-acl dhcp-options flow-log customer-gateway vpn-gateway transit-gateway transit-gateway-vpc-attachment transit-gateway-connect transit-gateway-connect-peer transit-gateway-peering-attachment vpn-connection transit-gateway-route-table vpc-endpoint vpc-peering-connection vpc-attachment connect-attachment connect-peer direct-connect-gateway-attachment site-to-site-vpn-attachment transit-gateway-peering transit-gateway-route-table-attachment target-group load-balancer listener auto-scaling-group hosted-zone accelerator eks-cluster eks-nodegroup -h --help --json --format --log-format --log-level --markdown" ;;
        "schema "*) words="-h --help --json --format --log-format --log-level" ;;
        "events "*) words="-h --help --json --format --log-format --log-level --markdown --schema" ;;
        "sandbox "*) words="-h --help --json --format --log-format --log-level --port --ready-file --delays --faults" ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F _reconciler reconciler
