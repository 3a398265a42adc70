#!/bin/sh
# Waits for the line by which Postern says where it serves, and prints what to
# try there.
exec <"$1"
rm -r "$(dirname "$1")"
read -r line || exit 1
base=${line##* }
cat <<END

Postern's quickstart: SCIM 2.0 at $base, bearer token "quickstart".
In another shell:

  curl -sw '\n' -H 'Authorization: Bearer quickstart' '$base/Users?count=2'
  curl -sw '\n' -H 'Authorization: Bearer quickstart' -G '$base/Users' --data-urlencode 'filter=userName eq "ADA.LOVELACE"'
  curl -sw '\n' -H 'Authorization: Bearer quickstart' -H 'Content-Type: application/scim+json' '$base/Users' -d '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"new.person.'\$(date +%s)'","name":{"givenName":"New","familyName":"Person"},"active":true}'

END
exec cat
