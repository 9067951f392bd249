// What a front end with Relay asks for; Relay's compiler reads it, nobody runs it.
import { graphql } from "relay-runtime";

graphql`
  query profileQuery($id: ID!, $count: Int!) {
    node(id: $id) {
      ...profile_customer @arguments(count: $count) @alias(as: "customer")
    }
  }
`;

graphql`
  fragment profile_customer on Customer
  @refetchable(queryName: "profilePaginationQuery")
  @argumentDefinitions(count: { type: "Int!" }, cursor: { type: "String" }) {
    name
    contacts(first: $count, after: $cursor) @connection(key: "profile_contacts") {
      totalCount
      edges {
        node {
          ...profile_contact
        }
      }
    }
  }
`;

graphql`
  fragment profile_contact on Contact {
    firstName
    lastName
  }
`;

graphql`
  query profileListQuery($count: Int!) {
    ...profile_customers @arguments(count: $count)
  }
`;

graphql`
  fragment profile_customers on Query
  @refetchable(queryName: "profileListPaginationQuery")
  @argumentDefinitions(count: { type: "Int!" }, cursor: { type: "String" }, search: { type: "String" }) {
    customers(first: $count, after: $cursor, search: $search) @connection(key: "profile_customers", filters: ["search"]) {
      edges {
        node {
          name
        }
      }
    }
  }
`;

graphql`
  mutation profileCreateMutation($input: CreateContactInput!, $connections: [ID!]!) {
    createContact(input: $input) {
      contact @appendNode(connections: $connections, edgeTypeName: "ContactEdge") {
        ...profile_contact
      }
      errors {
        code
        field
      }
    }
  }
`;

graphql`
  subscription profileFeedSubscription($after: String, $filter: HistoryFilter) {
    historyFeed(after: $after, filter: $filter) {
      cursor
      event {
        sentence
      }
    }
  }
`;
