"""What `oci` says of registries, certificates and storage folders, as strings to translate: it knows no Django.

`tests/web/test_sentences.py` compares them with what it says.
"""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_noop

# Translators: a request, or a place in a storage folder, and what went wrong with it.
_OF_A_REQUEST: Final = gettext_noop("%(request)s: %(cause)s")
_OF_A_FOLDER: Final = gettext_noop("%(path)s cannot be listed: %(why)s")

_NO_ANSWER: Final = (
    _OF_A_REQUEST,
    gettext_noop("the answer ended before its end"),
    gettext_noop("the answer is not encoded as it says"),
    gettext_noop("what answers does not speak HTTP as it should"),
    gettext_noop("it wants a client certificate that it trusts"),
    gettext_noop("the time for it is over"),
    gettext_noop("the connection broke"),
    gettext_noop("the host name is not known"),
    gettext_noop("no trusted TLS connection: %(detail)s"),
    gettext_noop("connection refused"),
    gettext_noop("no answer in time"),
    gettext_noop("no way to connect"),
    gettext_noop("the proxy cannot be reached: %(cause)s"),
    gettext_noop("the proxy finds no way there: it says %(status)s"),
    gettext_noop("the proxy does not let us there: it says %(status)s"),
    gettext_noop("the proxy wants a user name and a password, and those that it is given are not right"),
    gettext_noop("others asked the registry all the time"),
    gettext_noop("the answer does not say where it ends, so nobody knows that it is whole"),
    gettext_noop("the name leads to an address where no registry may be, but cloud metadata is"),
    gettext_noop("the registry redirects to an address that only this machine can reach"),
    gettext_noop("the token service keeps another request waiting"),
)
_REFUSED: Final = (
    gettext_noop("%(request)s was refused with %(status)s: no reason given"),
    gettext_noop("%(request)s was refused with %(status)s: it is not there"),
    gettext_noop("%(request)s was refused with %(status)s: %(code)s it is not there"),
    gettext_noop("%(request)s was refused with %(status)s: %(detail)s"),
    gettext_noop("the registry asks for a token of %(host)s, which is not pinned for it"),
    gettext_noop("the registry asks for a token of no web address, which is not pinned for it"),
    gettext_noop("the token service gave no token"),
)
_ODD_ANSWERS: Final = (
    gettext_noop("%(request)s was answered with a redirect, which only a GET follows"),
    gettext_noop("%(request)s was answered with the status %(status)s"),
    gettext_noop("%(request)s was answered with more than %(n)s bytes"),
    gettext_noop("%(request)s was redirected more than %(n)s times"),
    gettext_noop("%(request)s was redirected to something that is no web address"),
    gettext_noop("%(request)s was redirected from https to plain http"),
    gettext_noop("the registry leads to something that is no web address"),
    gettext_noop("the registry leads away, to %(address)s"),
    gettext_noop("what answers at this address is no registry"),
    gettext_noop("%(digest)s came back as %(other)s"),
    gettext_noop("the answer has no list of %(key)s"),
    gettext_noop("the list of referrers is no index"),
    gettext_noop("the pages of %(path)s lead away to another list"),
    gettext_noop("the pages of %(path)s go in a circle"),
    gettext_noop("%(path)s has more than %(n)s pages"),
    gettext_noop("%(text)s is not a valid %(kind)s"),
)
_COPIES: Final = (
    gettext_noop("%(digest)s was stored as %(other)s"),
    gettext_noop("%(digest)s was stored with another length than its %(n)s bytes"),
    gettext_noop("%(name)s was taken, and is not there"),
    gettext_noop("%(tag)s is no list of what is attached"),
    gettext_noop("it lists more than %(n)s manifests, or larger or deeper ones than anybody makes"),
    gettext_noop("it lists more than %(n)s manifests, or deeper ones than anybody makes"),
    gettext_noop("it is in the format of 2014, which registries take no more"),
    gettext_noop("it has %(n)s images of the platform that was asked for, and not one"),
    gettext_noop("it has none of the platforms that were asked for"),
    gettext_noop("it is incomplete at the source, where %(digest)s is missing"),
    gettext_noop("it has no content"),
    gettext_noop("the registry has %(n)s bytes of an upload of which %(all)s were sent"),
    gettext_noop("%(digest)s came with other bytes"),
    gettext_noop("%(digest)s ended after %(n)s of %(all)s bytes"),
    gettext_noop("%(digest)s is longer than %(n)s bytes, which the manifest says"),
    gettext_noop("%(digest)s goes on at another place than it was asked for"),
    gettext_noop("%(digest)s cannot be gone on with"),
    gettext_noop("what is there cannot be read, so it cannot be kept"),
)
_DOCUMENTS: Final = (
    gettext_noop("the manifest"),
    gettext_noop("a schema 1 manifest"),
    gettext_noop("the image config"),
    gettext_noop("the config of the chart"),
    gettext_noop("the token service's answer"),
    gettext_noop("the list"),
    gettext_noop("%(document)s has more than %(n)s parts"),
    gettext_noop("%(document)s cannot be read as JSON: %(detail)s"),
    gettext_noop("%(document)s is not a JSON object"),
    gettext_noop("a key stands twice in one object, so readers would differ on its meaning"),
    gettext_noop("%(value)s is not JSON"),
    gettext_noop("the manifest is malformed: %(problem)s"),
    gettext_noop("%(field)s is not text"),
    gettext_noop("%(field)s is not Unicode text"),
    gettext_noop("%(field)s is not an object"),
    gettext_noop("%(field)s is not a list"),
    gettext_noop("%(field)s has %(n)s entries, more than %(most)s"),
    gettext_noop("%(field)s is not a whole number from 0 to 2^63-1"),
    gettext_noop("%(field)s is not a media type"),
    gettext_noop("%(type)s is not a type of manifest that can be read"),
    gettext_noop("it came as %(type)s and calls itself %(other)s"),
    gettext_noop("its schemaVersion is not 2"),
    gettext_noop("an image manifest that also lists manifests"),
    gettext_noop("an index that also has layers or a config"),
    gettext_noop("%(digest)s is said to have more than 16 TiB"),
    gettext_noop("two sizes are given for %(digest)s"),
    gettext_noop("the signature of a schema 1 manifest does not say what it signs"),
)
_STORAGE: Final = (
    _OF_A_FOLDER,
    gettext_noop("it is not there"),
    gettext_noop("it may not be read"),
    gettext_noop("something else stands where a folder should be"),
    gettext_noop("something else stands where a file should be"),
    gettext_noop("a link that leads in a circle"),
    gettext_noop("a link leads out of the storage folder"),
    gettext_noop("it has more than %(n)s bytes"),
    gettext_noop("its link is empty"),
    gettext_noop("its link holds no digest"),
    gettext_noop("its link cannot be read: %(why)s"),
    gettext_noop("%(digest)s is stored as %(other)s"),
    gettext_noop("%(digest)s is linked to %(other)s"),
    gettext_noop("The storage folder %(path)s has to be a path from the top, like /var/lib/registry"),
    gettext_noop(
        "The storage folder %(path)s cannot be used: %(why)s. Name the folder that the registry's configuration calls"
        " rootdirectory, and let Berth read it."
    ),
    gettext_noop(
        "The folder %(path)s holds no %(layout)s, so it is no registry's. Name the folder that the registry's"
        " configuration calls rootdirectory, and let Berth read it."
    ),
    gettext_noop("The storage folder %(path)s cannot be read any more: %(why)s"),
    gettext_noop("The storage folder %(path)s was taken away or replaced while it was read"),
)
_ARCHIVES: Final = (
    gettext_noop("the archive has more than %(n)s entries"),
    gettext_noop("a header of the archive has more than %(n)s bytes"),
    gettext_noop("the archive is no gzip"),
    gettext_noop("the archive ends in the middle of a file"),
    gettext_noop("the archive holds more than Berth unpacks"),
    gettext_noop("the archive is no tar"),
    gettext_noop("the archive is no tar, or has a file that is larger than 8 GiB"),
)
_CERTIFICATES: Final = (
    gettext_noop(
        "the text of the certificate authority cannot be used, as %(why)s: give the text or the path of a readable PEM"
        " file"
    ),
    gettext_noop(
        "the file %(path)s of the certificate authority cannot be used, as %(why)s: give the text or the path of a"
        " readable PEM file"
    ),
    gettext_noop("it holds no certificate in PEM form"),
    gettext_noop("it cannot be read"),
    gettext_noop("the file %(path)s of the public authorities cannot be read: install Berth's packages anew"),
    gettext_noop("there is a key, and no client certificate that it belongs to"),
    gettext_noop("a client certificate can only be shown over https"),
    gettext_noop("the client certificate"),
    gettext_noop("the key of the client certificate"),
    gettext_noop("%(pem)s is neither PEM text nor the path of a readable PEM file"),
    gettext_noop("the key of the client certificate is encrypted: give it without a passphrase"),
    gettext_noop("the key does not belong to the client certificate"),
    gettext_noop("the client certificate has no key"),
    gettext_noop("the client certificate or its key cannot be read"),
    # Below the field of a form they are whole sentences.
    gettext_noop("The key of the client certificate is encrypted: give it without a passphrase."),
    gettext_noop("The key does not belong to the client certificate."),
    gettext_noop("The client certificate has no key."),
    gettext_noop("The client certificate or its key cannot be read."),
)
KINDS: Final = (
    gettext_noop("repository"),
    gettext_noop("tag"),
    gettext_noop("digest"),
    gettext_noop("reference"),
    gettext_noop("upload"),
    gettext_noop("path"),
    gettext_noop("user name"),
    gettext_noop("web address"),
    gettext_noop("registry address"),
    gettext_noop("proxy address"),
    gettext_noop("token service for a registry with TLS"),
)
SENTENCES: Final = (
    *_NO_ANSWER,
    *_REFUSED,
    *_ODD_ANSWERS,
    *_COPIES,
    *_DOCUMENTS,
    *_STORAGE,
    *_ARCHIVES,
    *_CERTIFICATES,
)
