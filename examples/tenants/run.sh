#!/bin/sh
# Serves two tenants, adds a third one while the server runs, shows what each of them
# sees, and removes it again:
#
#   run.sh POSTERN [HOST:PORT]
#
# The folder state, where it is started, holds what it makes. It ends with status 1 if
# one tenant sees anything of another.
set -eu
postern=$1
listen=${2:-127.0.0.1:8080}
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p state
cp "$here/postern.yaml" "$here/crm.sql" state/
yaml=state/postern.yaml
export ADMIN_TOKEN=for-trials-only SCIM_TOKEN=token-of-acme GLOBEX_TOKEN=token-of-globex

"$postern" serve -c "$yaml" --listen "$listen" --admin "${listen%:*}:0" >state/out 2>state/log &
server=$!
trap 'kill $server 2>/dev/null; wait $server 2>/dev/null || true' EXIT
for _ in 1 2 3 4 5 6 7 8 9 10; do
	grep -q 'serves SCIM' state/out && break
	sleep 0.5
done
base=$(sed -n 's/.* //p' state/out)

ask() { # TOKEN PATH [curl's options]
	token=$1 path=$2
	shift 2
	curl -s -H "Authorization: Bearer $token" -H 'Content-Type: application/scim+json' "$@" "$base$path"
}
names() { ask "$1" '/Users?attributes=userName&sortBy=userName' | tr '{,' '\n\n' | sed -n 's/.*"userName":"\([^"]*\)".*/\1/p' | tr '\n' ' '; }
wrong() { echo "WRONG: $*" >&2; exit 1; }

echo "acme:    $(names "$SCIM_TOKEN")"
echo "globex:  $(names "$GLOBEX_TOKEN")"

echo 'postern tenants add initech --client entra=entra --param company=initech --why "a new customer"'
initech=$("$postern" tenants add initech --client entra=entra --param company=initech --why "a new customer" --json -c "$yaml" |
	sed -n 's/.*"\(pst_[^"]*\)".*/\1/p')
echo "initech: $(names "$initech")"

id=$(ask "$initech" '/Users?attributes=id' | sed 's/.*"id":"\([^"]*\)".*/\1/')
own=$(ask "$initech" "/Users/$id" -o /dev/null -w '%{http_code}')
others=$(ask "$SCIM_TOKEN" "/Users/$id" -o /dev/null -w '%{http_code}')
echo "the id of peter: $own for initech, $others for acme"
[ "$own $others" = "200 404" ] || wrong "an id is known to another tenant"
case " $(names "$SCIM_TOKEN")" in *peter* | *hank*) wrong "acme sees people of others" ;; esac

echo 'postern tenants remove initech --why "the contract has ended"'
"$postern" tenants remove initech --why "the contract has ended" -c "$yaml" >/dev/null
status=$(ask "$initech" /Users -o /dev/null -w '%{http_code}')
echo "initech: $status, as any token that nobody has"
[ "$status" = 401 ] || wrong "a tenant that was removed is served"
