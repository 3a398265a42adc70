#!/bin/sh
# Prints what to try while the quickstart runs.
base=${1:-http://127.0.0.1:8080/scim/v2}
cat <<END
Postern's quickstart: SCIM 2.0 at $base, bearer token "quickstart".
In another shell:

  curl -s -H 'Authorization: Bearer quickstart' '$base/Users?count=2'
  curl -s -H 'Authorization: Bearer quickstart' -G '$base/Users' --data-urlencode 'filter=userName eq "ADA.LOVELACE"'
  curl -s -H 'Authorization: Bearer quickstart' -H 'Content-Type: application/scim+json' '$base/Users' -d '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"new.person","name":{"givenName":"New","familyName":"Person"},"active":true}'

END
