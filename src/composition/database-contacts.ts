/** Makes what keeps how the database was found, from the deployment's settings. */
import { DynamoDbDatabaseContacts } from '../adapters/aws/dynamodb-database-contacts.ts';
import { systemClock } from '../clock.ts';
import { config } from '../config.ts';
import { ContactTeller } from '../monitoring/database-contact.ts';
import { dynamodb } from './stores.ts';

export const databaseContacts = () => new DynamoDbDatabaseContacts(dynamodb().own, config.servingTable);

/** For functions that use the database. */
export const contactTeller = () => new ContactTeller(databaseContacts(), systemClock);
