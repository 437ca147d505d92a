"""From a line of a real spreadsheet to a service that a returnee got: the whole loop on third-party data."""

import tempfile
from pathlib import Path
from uuid import UUID

from relink import demo_data
from relink.demo_issuer import RECEIVER, Client
from relink.partner import partners_of
from relink.story import real_input
from relink.story.telling import Teller
from relink.system import running_system
from tests.support.reference import reference_data


async def test_a_lead_of_the_4w_becomes_a_service_and_a_returnee_is_referred_to_it_and_back() -> None:
    folder, teller = reference_data(), Teller()
    with tempfile.TemporaryDirectory(prefix="relink-test-") as data:
        async with running_system(Path(data), port=0) as system:
            await demo_data.enter(system)
            async with partners_of(system, "registry-manager", "be-return", "evaluator") as partners:
                curator, belgium, evaluator = partners
                report = await real_input.read_files(curator, folder, teller)
                assert (report["rows"], report["empty_rows"]) == (7324, 4202)
                assert report["row_counts"] == {"ongoing": 2406, "planned": 56, "completed": 657, "suspended": 3}
                assert report["issue_count"] >= 657 + 3 + 47
                again = await real_input.import_file(curator, folder / real_input.SPREADSHEET, "threew")
                assert (again["created"], again["changed"]) == (0, 0)
                lead = await real_input.choose_lead(curator)
                await belgium.get(f"/registry/v1/services/{lead['service_id']}", expect=404)  # a lead is not a service
                service, owner = await real_input.publish_lead(curator, lead)
                client = Client("et-provider", UUID(owner["organization_id"]), RECEIVER, "a provider taken on")
                system.issuer.take_on(client)
                async with partners_of(system, client.client_id) as (provider,):
                    await real_input.make_agreements(belgium, provider, service)
                    referral = await real_input.refer(system, belgium, provider, service, teller)
                assert [task["state"] for task in referral["tasks"]] == ["completed"]
                heard = await belgium.get(f"/monitoring/v1/referrals/{referral['referral_id']}")
                assert [entry["type"] for entry in heard["timeline"]] == [
                    "ReferralCreated",
                    "ReferralReceived",
                    "ReferralAccepted",
                    "ServiceStarted",
                    "ServiceDelivered",
                    "ReceiptConfirmed",
                    "OutcomeAcknowledged",
                ]
                for indicator in (await evaluator.get("/monitoring/v1/indicators"))["items"]:
                    result = await evaluator.get(f"/monitoring/v1/indicators/{indicator['code']}")
                    assert result["referrals"] == 1
